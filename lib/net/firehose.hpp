// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/connection.hpp"
#include "net/endpoint_maker.hpp"

namespace vibes::eventlog {
class EventLog;
}
namespace vibes::consumers {
class Broadcaster;
class FilteredFrames;
class GroupRegistry;
class PastFrames;
class SessionLinks;
}  // namespace vibes::consumers

namespace vibes::net {

/// What all clients of the firehose share. It outlives them.
struct FirehoseContext {
  eventlog::EventLog& log;
  consumers::Broadcaster& broadcaster;
  consumers::PastFrames& past;
  consumers::FilteredFrames& filtered;
  consumers::GroupRegistry& groups;
  consumers::SessionLinks& links;
  const Clock& clock;
  std::string server;  // how the server names itself in `hello`: "vibes-server/1.2.0"
};

/// `GET /ws/firehose` (docs/protocol.md §2, §8, §9): without `from` and `group` as the Rust
/// project's firehose, with either of them the extended one. Reads the query `types`, `session`,
/// `tree`,
/// `from`, `until`, `batch`, `heartbeat`, `group`; see EndpointMaker for the errors. A cursor is
/// checked here, so that one of another log is refused before the upgrade.
Result<EndpointMaker> plan_firehose(const Query& query, FirehoseContext& context);

}  // namespace vibes::net
