// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vibes::hooks {

/// The members of an agent's payload that we look at; empty: not there, or no string.
struct PayloadFacts {
  std::string type;  // the snake case of its hook's name; "unknown" if it has none
  std::string session;
  std::string agent;
  std::string tool_use;
};

/// `object` is JSON that has been judged good.
PayloadFacts facts_of(std::string_view object);

/// "PreToolUse" → "pre_tool_use".
std::string snake_case(std::string_view name);

/// `object` as the `event` of a hook: with a `type` in front, unless it has one of its own. On one
/// line, and shortened if it is over `bytes_max`: members over limits::kHookMemberBytesKept become
/// the beginning of their JSON text, as a string, and `vibes_shortened` says how long each was.
std::string inner_event(std::string_view object, std::string_view type, std::size_t bytes_max);

}  // namespace vibes::hooks
