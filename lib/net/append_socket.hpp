// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hpp"
#include "event/check.hpp"
#include "net/append_budget.hpp"
#include "net/connection.hpp"
#include "net/endpoint_maker.hpp"

namespace vibes::eventlog {
class EventLog;
}

namespace vibes::net {

/// What all producers share. It outlives them.
struct AppendContext {
  eventlog::EventLog& log;
  AppendBudget& budget;
  event::CheckOptions check;
};

/// `GET /ws/append` (docs/protocol.md §3, §9): each text message is one event, or several as NDJSON
/// lines (one atomic batch), answered in order by acks and nacks. Reads the query `ids` and `ack`;
/// see EndpointMaker for the errors.
///
/// Order: the events of one connection are appended in the order of their messages. A full queue or
/// budget stops the reading of the socket and is tried again; it is never a nack.
Result<EndpointMaker> plan_append_socket(const Query& query, AppendContext& context);

}  // namespace vibes::net
