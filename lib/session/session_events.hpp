// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "event/event.hpp"
#include "session/session_end.hpp"

namespace vibes::session {

/// Why a session is gone, as session_removed says it.
enum class RemovalReason { killed, session_finished };
std::string_view to_string(RemovalReason reason);

/// "Running", or "Exited(code)" with the status as a shell has it: 128 + the number of the signal.
std::string state_name(const std::optional<SessionEnd>& end);

/// The events of docs/protocol.md §1 that sessions and their clients produce.
event::NewEvent session_created(std::string_view session_id,
                                const std::optional<std::string>& name);
event::NewEvent session_state_changed(std::string_view session_id, const SessionEnd& end);
event::NewEvent session_removed(std::string_view session_id, RemovalReason reason);
event::NewEvent client_connected_event(std::string_view client_id);
event::NewEvent client_disconnected_event(std::string_view client_id);

}  // namespace vibes::session
