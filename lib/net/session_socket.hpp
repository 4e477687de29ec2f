// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "eventlog/event_log.hpp"
#include "net/connection.hpp"
#include "session/session_registry.hpp"

namespace vibes::net {

/// `GET /ws` (docs/protocol.md §5): terminals. Appends client_connected when opened and
/// client_disconnected when closed, whoever closed. Messages of at most limits::kEventBytesMax. All
/// three arguments must outlive the endpoint.
std::unique_ptr<Endpoint> make_session_endpoint(Connection& connection,
                                                session::SessionRegistry& sessions,
                                                eventlog::EventLog& log);

}  // namespace vibes::net
