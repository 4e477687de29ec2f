// SPDX-License-Identifier: MIT
#include "net/query_string.hpp"

namespace vibes::net {

void QueryString::add(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) {
    arguments_.emplace_back(argument, "");
  } else {
    arguments_.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
  }
}

std::optional<std::string> QueryString::get(std::string_view name) const {
  for (const auto& [key, value] : arguments_) {
    if (key == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace vibes::net
