// SPDX-License-Identifier: MIT
#include "net/append_query.hpp"

#include <utility>

#include <fmt/format.h>

#include "eventlog/event_log.hpp"
#include "net/connection.hpp"

namespace vibes::net {
namespace {

Unexpected bad(std::string what) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(what));
}

/// The most that an ack of this log will say.
eventlog::Durability durability_of(const eventlog::LogStatus& status) {
  if (status.engine_durability) {
    return *status.engine_durability;
  }
  if (status.url.starts_with("memory:")) {
    return eventlog::Durability::memory;
  }
  return status.durability.kind == eventlog::DurabilityPolicy::Kind::fsync
             ? eventlog::Durability::fsync
             : eventlog::Durability::os;
}

}  // namespace

Result<AppendQuery> parse_append_query(const Query& query, AckIds ids,
                                       const eventlog::EventLog& log) {
  AppendQuery parsed{.ids = ids, .unavailable = std::nullopt};
  if (const auto wanted = query.get("ids")) {
    if (*wanted != "0" && *wanted != "1") {
      return bad(fmt::format("ids takes 0 or 1, not \"{}\"", *wanted));
    }
    parsed.ids = *wanted == "1" ? AckIds::with : AckIds::without;
  }
  if (const auto ack = query.get("ack")) {
    const auto wanted = eventlog::parse_durability(*ack);
    if (!wanted) {
      return bad(fmt::format("ack takes memory, os, fsync or replicated, not \"{}\"", *ack));
    }
    const eventlog::Durability given = durability_of(log.status());
    if (given < *wanted) {
      parsed.unavailable = fmt::format("this log acknowledges {}, not {}",
                                       eventlog::to_string(given), eventlog::to_string(*wanted));
    }
  }
  return parsed;
}

}  // namespace vibes::net
