// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

namespace vibes::session {

/// Why something asked of a session was refused. wire_code() is what clients see.
enum class Errc {
  session_not_found = 1,  // no session with this id
  session_exists,         // created already
  session_exited,         // listed, but its program has ended
  bad_session_id,         // empty, too long, or with control characters
  bad_name,               // over limits::kSessionNameBytesMax
  bad_size,               // columns or rows out of range
  bad_cwd,                // not an absolute path of a directory we can enter
  bad_command,            // no such program, or not executable
  too_many_sessions,      // limits::kSessionsMax run already
  spawn_failed,           // the system refused a PTY or a process
  input_too_large,        // one input over limits::kPtyInputBytesMax
  log_unavailable,        // the log takes no events, so nothing may start that must be recorded
  busy,                   // limits::kSessionCommandsMax commands wait; try again
  stopping,               // the server is stopping
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);
/// The snake-case code of docs/protocol.md; "internal" for a code of another layer.
std::string_view wire_code(const std::error_code& code);

}  // namespace vibes::session

template <>
struct std::is_error_code_enum<vibes::session::Errc> : std::true_type {};
