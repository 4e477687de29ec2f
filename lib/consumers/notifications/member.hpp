// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace vibes::consumers {

/// The member `key` of an object if it is a string, else an empty one: what clients and files hold
/// under a name we know may be anything.
inline std::string text_member(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace vibes::consumers
