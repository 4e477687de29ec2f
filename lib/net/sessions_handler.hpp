// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "session/session_registry.hpp"

namespace vibes::net {

/// An HTTP answer: the status and a JSON body, empty with 204.
struct SessionsReply {
  int status = 200;
  std::string body;
};
/// Called once, on the registry's thread or at once on the caller's: pass it on with
/// Connection::poster() or its like.
using SessionsDone = std::function<void(SessionsReply)>;

/// GET /api/sessions
SessionsReply list_sessions(const session::SessionRegistry& sessions);
/// GET /api/claude/sessions, as the Rust project's web UI expects it.
SessionsReply list_claude_sessions(const session::SessionRegistry& sessions);
/// POST /api/sessions: 201 and the session; 400, 409 session_exists, 429 too_many_sessions or busy,
/// 503.
void create_session(session::SessionRegistry& sessions, std::string_view body, SessionsDone done);
/// DELETE /api/sessions/ID: 204 or 404 session_not_found. `id` percent-decoded.
void delete_session(session::SessionRegistry& sessions, std::string_view id, SessionsDone done);

}  // namespace vibes::net
