// SPDX-License-Identifier: MIT
#pragma once

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
std::string position_text(const event::Cursor& cursor, Offset end);
std::string gap_text(const eventlog::Gap& gap);
std::string end_text();
std::string committed_text(std::string_view group, Offset next);
std::string error_text(std::string_view code, std::string_view message);

}  // namespace vibes::net
