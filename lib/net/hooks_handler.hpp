// SPDX-License-Identifier: MIT
#pragma once

#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// POST /api/hooks (docs/protocol.md, "Hooks"): what an agent gives its hook becomes an event,
/// whatever it is. Answered once it is as durable as the log makes it, with what the agent may act
/// on.
void append_hook(const Request& request, const Responder& responder, Services& services);

/// POST /api/hooks/answer?session=ID&event=UUID: what the hook with that event_id is to give its
/// agent, held for it; 204 where there is nothing. The caller appends `intervention_delivered` once
/// it has given it.
Response answer_hook(const Request& request, const Services& services);

}  // namespace vibes::net
