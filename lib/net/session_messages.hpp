// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"
#include "session/attachment.hpp"
#include "session/pty.hpp"
#include "session/session_registry.hpp"

namespace vibes::net {

/// The messages of GET /ws (docs/protocol.md §5) as text. Pure functions.

struct SessionError {
  std::string_view session_id;  // empty: null
  std::string_view code;
  std::string_view message;
  std::string_view request_id;  // empty: left out
};
std::string error_message(const SessionError& error);
std::string error_message(std::string_view session_id, const Error& error);

std::string auth_context_message();
std::string attach_ack_message(std::string_view session_id, session::TerminalSize size);
std::string replay_message(std::string_view session_id, std::string_view bytes);
std::string output_message(std::string_view session_id, std::string_view bytes);
std::string exit_message(std::string_view session_id, const session::SessionEnd& end);
std::string removed_message(std::string_view session_id, std::string_view reason);
std::string session_list_message(std::string_view request_id,
                                 const std::vector<session::SessionInfo>& sessions,
                                 std::string_view client_id);

/// One session as lists show it: {"id",…}. `client_id` decides is_owner.
std::string session_json(const session::SessionInfo& session, std::string_view client_id);

/// What a stored event of a session or the tunnel means to every client.
struct LogMessage {
  std::string text;
  std::string removed_session;  // set for session_removed
};
/// Nothing for events that clients are not told about, and for those a producer wrote without what
/// we need.
std::optional<LogMessage> log_message(const event::EventView& event);

}  // namespace vibes::net
