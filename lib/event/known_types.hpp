// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "event/event.hpp"

namespace vibes::event {

/// What a field of a known type may hold.
enum class Kind : std::uint8_t { any, string, boolean, count, object, claude_event, hook_event };

struct FieldRule {
  std::string_view name;
  Kind kind = Kind::string;
  enum class Presence : std::uint8_t { required, optional, nullable } presence = Presence::required;
  std::span<const std::string_view> one_of = {};  // the only strings allowed; empty: every string
};

/// The fields that must be there and what they must hold. Members not named here always pass.
struct Shape {
  std::string_view type;
  std::span<const FieldRule> fields;
};

struct KnownType {
  Shape shape;
  Category category = Category::custom;
};

/// nullptr: not one of ours.
const KnownType* find_known_type(std::string_view type);
/// The shape of an agent's event by the inner event's `type`; nullptr: not known.
const Shape* find_claude_shape(std::string_view type);
/// The same for a hook. Agents add hooks every month: one that is not known passes.
const Shape* find_hook_shape(std::string_view type);

/// The token counts inside `turn_complete`.
std::span<const FieldRule> usage_fields();

}  // namespace vibes::event
