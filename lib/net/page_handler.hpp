// SPDX-License-Identifier: MIT
#pragma once

#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// GET /api/events (docs/protocol.md §4): a page as JSON, or as NDJSON where `Accept` says so; a
/// stream where it says text/event-stream.
void read_events(const Request& request, const Responder& responder, Services& services);

}  // namespace vibes::net
