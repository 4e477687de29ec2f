// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::hooks {

/// Makes an event of one line of a file from elsewhere:
///
/// * of a Claude Code transcript: `transcript_entry{session_id,time,imported,entry}`, where `entry`
///   is the line as it is;
/// * an event in its envelope, as the log gives it: the event with `imported{event_id,time}`;
/// * an event: itself, with `imported`.
///
/// The event depends on the line alone, and so does its event_id (unless the event brings one), so
/// that importing again appends nothing. Errors: those of event::check(). Thread-safe.
Result<event::NewEvent> import_line(std::string_view line);

}  // namespace vibes::hooks
