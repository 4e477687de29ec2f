// SPDX-License-Identifier: MIT
#include "json_text.hpp"

#include <nlohmann/json.hpp>

#include "cli/term.hpp"

namespace vibes::ctl {

std::string shown(const nlohmann::json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || found->is_null()) {
    return "-";
  }
  const std::string text =
      found->is_string() ? found->get<std::string>()
                         : found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.empty() ? "-" : cli::escaped(text);
}

}  // namespace vibes::ctl
