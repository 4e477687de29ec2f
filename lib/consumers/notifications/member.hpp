// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace vibes::consumers {

/// The member `key` of an object if it is a string, else an empty one: unknown events may hold
/// anything under a name we know.
inline std::string text_member(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The member `event` of an event that wraps another.
inline const nlohmann::json& inner_event(const nlohmann::json& parsed) {
  static const nlohmann::json kNone = nlohmann::json::object();
  const auto found = parsed.is_object() ? parsed.find("event") : parsed.end();
  return parsed.is_object() && found != parsed.end() ? *found : kNone;
}

}  // namespace vibes::consumers
