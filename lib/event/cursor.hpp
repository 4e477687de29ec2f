// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::event {

/// Where a reader is, in a form that can be kept in a file and checked when it comes back:
/// `v1.<log_id>.<next offset>.<check>`. Opaque to clients. `check` is taken from the event before
/// `next`, so a cursor into a log that was reset, truncated or forked since is refused and never
/// misread.
struct Cursor {
  Uuid log_id;
  Offset next;              // the next offset to read
  std::uint32_t check = 0;  // cursor_check() of the event at next-1; 0 where next is 0

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// CRC-32C over the event's offset, id and payload; never 0.
std::uint32_t cursor_check(const EventView& before);

std::string to_string(const Cursor& cursor);
/// Errors: Errc::bad_cursor.
Result<Cursor> parse_cursor(std::string_view text);

}  // namespace vibes::event
