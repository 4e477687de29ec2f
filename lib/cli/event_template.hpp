// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::cli {

/// A line of output as the user wrote it: text with fields in braces.
///
///   {offset} {event_id} {time} {local_time} {type} {category} {session} {summary} {event}
///   {event.a.b.0}   a member of the event: its text, or its JSON if it is no text; nothing if it
///   is missing
///   {{ }} \n \t \\ \0   themselves, a line break, a tab, a backslash, a NUL
///
/// A value: copy it freely.
class EventTemplate {
 public:
  /// Errors: std::errc::invalid_argument, naming the field or the place.
  static Result<EventTemplate> parse(std::string_view text);

  void append(std::string& out, const event::EventView& event) const;

 private:
  enum class Field : unsigned char {
    literal,
    offset,
    event_id,
    time,
    local_time,
    type,
    category,
    session,
    summary,
    event,
    member
  };
  struct Part {
    Field field = Field::literal;
    std::string text;  // the literal, or the member's JSON pointer
  };
  static Result<Part> parse_field(std::string_view name);

  std::vector<Part> parts_;
};

}  // namespace vibes::cli
