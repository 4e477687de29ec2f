// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace vibes::eventlog {
class EventLog;
}  // namespace vibes::eventlog

namespace vibes::net {

class Query;

/// Whether acks carry the ids of their events.
enum class AckIds : std::uint8_t { without, with };

/// What the query of an append asks for, on a WebSocket or in a request.
struct AppendQuery {
  AckIds ids = AckIds::without;
  /// Set: it wants more durability than the log gives; says so.
  std::optional<std::string> unavailable;
};

/// `ids`: for who does not say. Errors: std::errc::invalid_argument, the context says what is
/// taken.
Result<AppendQuery> parse_append_query(const Query& query, AckIds ids,
                                       const eventlog::EventLog& log);

}  // namespace vibes::net
