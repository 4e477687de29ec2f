// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/offset.hpp"
#include "event/cursor.hpp"
#include "eventlog/reader.hpp"

namespace vibes::net {

// The firehose's messages that are no events, as JSON text (docs/protocol.md §2 and §8).

struct HelloFacts {
  Offset first;
  Offset end;
  const event::Cursor& cursor;
  std::string_view server;
};
std::string hello_text(const HelloFacts& facts);

/// `cursor.next` is the position, `end` the log's end.
/// more_comes: it is not caught up at the log's end, because more slots of the group will be its.
enum class Reached : std::uint8_t { position, more_comes };
std::string position_text(const event::Cursor& cursor, Offset end,
                          Reached reached = Reached::position);
std::string gap_text(const eventlog::Gap& gap);
std::string end_text();
std::string committed_text(std::string_view group, Offset next);
/// `slots` of the group are the member's now, of `members`; it is handed them from `from` on.
std::string assigned_text(std::size_t slots, std::size_t members, Offset from);
std::string error_text(std::string_view code, std::string_view message);

}  // namespace vibes::net
