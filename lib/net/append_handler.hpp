// SPDX-License-Identifier: MIT
#pragma once

#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// POST /api/events (docs/protocol.md §3): one atomic batch, answered once it is as durable as the
/// log makes it.
void append_events(const Request& request, const Responder& responder, Services& services);

}  // namespace vibes::net
