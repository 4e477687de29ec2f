// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "event/event.hpp"

namespace vibes::cli {

/// What an event says to a person, in one line: for a tool call its name and what it was asked to
/// do, for a prompt its text, for an unknown type its members. `label` is the most telling type:
/// "pre_tool_use" for a hook, "tool_result" for a claude event. Control characters are not escaped
/// yet; line breaks are spaces.
struct Summary {
  std::string label;
  std::string text;
  bool is_failure = false;  // an error, a failed tool
};
Summary summarise(const event::EventView& event);

struct LineStyle {
  bool color = false;
  bool escape = false;                 // make control characters visible: for terminals
  std::optional<std::size_t> columns;  // cut to this width
};

/// One line for `tail -o short`, with its newline: local time, session, label, summary.
void append_event_line(std::string& out, const event::EventView& event, const LineStyle& style);

}  // namespace vibes::cli
