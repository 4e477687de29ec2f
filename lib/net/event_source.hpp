// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "net/endpoint_maker.hpp"
#include "net/http.hpp"

namespace vibes::consumers {
class SessionLinks;
}

namespace vibes::net {

/// GET /api/events with `Accept: text/event-stream`: server-sent events (WHATWG HTML §9.2), each
/// with the cursor after it as its id, so that a client that comes back with Last-Event-ID goes on
/// where it was. Gaps, the end and errors are events of these names; silence is broken by comments.
/// Errors: as parse_read_query().
Result<EndpointMaker> plan_event_source(const RequestHead& head, eventlog::EventLog& log,
                                        consumers::SessionLinks& links);

/// Appends `text` as the data lines of a server-sent event.
void append_sse_data(std::string& out, std::string_view text);

}  // namespace vibes::net
