// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/broadcaster.hpp"
#include "consumers/group_registry.hpp"
#include "event/filter.hpp"
#include "eventlog/position.hpp"
#include "net/connection.hpp"

namespace vibes::eventlog {
class EventLog;
}

namespace vibes::net {

/// What a firehose client asked for in its query, checked.
struct FirehoseQuery {
  event::Filter filter;
  event::Reach reach = event::Reach::session;
  /// False: as the Rust project's clients expect it. True: hello, positions, gaps, end.
  bool extended = false;
  /// Where to start; the log's end in compatible mode, and for a group only what counts at its
  /// first start.
  Offset start;
  std::string group;  // empty: none
  consumers::FirstStart first_start = consumers::FirstStart::end;
  std::optional<Offset> until;
  std::optional<Timestamp> until_time;  // set where the time has not come yet
  consumers::Broadcaster::Shape shape = consumers::Broadcaster::Shape::frames;
  std::chrono::seconds heartbeat = limits::kHeartbeatDefault;
};

/// Checks the query and resolves its positions against the log as it is now.
/// Errors: std::errc::invalid_argument; event::Errc::cursor_mismatch; those of a failing log.
Result<FirehoseQuery> parse_firehose_query(const Query& query, eventlog::EventLog& log,
                                           const Clock& clock);

/// What `tree` in a query says: 0, 1 or nothing. Errors: std::errc::invalid_argument.
Result<event::Reach> parse_reach(const Query& query);

/// Reads `beginning`, `end`, an offset, `-N`, a time or a cursor, and finds where it is. A cursor
/// is checked. Errors: as above.
Result<Offset> resolve_position(std::string_view text, eventlog::EventLog& log);

}  // namespace vibes::net
