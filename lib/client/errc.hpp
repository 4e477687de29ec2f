// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

namespace vibes::client {

/// Why talking to a server failed. What the server itself said (its code and its sentence) is in
/// the Error's context.
enum class Errc {
  bad_url = 1,      // no URL of ours
  bad_token,        // the token file is unreadable or is no token
  cannot_connect,   // nobody answers there
  connection_lost,  // the connection ended before the answer; what was sent may or may not have
                    // arrived
  timed_out,        // the deadline passed
  woken,            // wake() was called; nothing was lost, call again
  closed,           // the server closed the connection on purpose and does not want us back
  unauthorized,     // token, Host or Origin refused (401, 403)
  not_found,        // 404
  conflict,         // 409: an event_id taken by another payload, a group that has a member
  rejected,         // 400, 413, 415, 412: the server understood and refuses this request for ever
  cursor_unusable,  // cursor_mismatch: a cursor of another log, or of this one before it was reset
                    // or cut
  queue_full,       // 429: try again later
  unavailable,      // 503: not now
  disk_full,        // 507
  bad_answer,       // no HTTP, no JSON, or not what docs/protocol.md says
  spool_full,       // over limits::kSpoolBytesMax
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

/// The Errc for a code of the wire ("cursor_mismatch"), or the HTTP status where the code says
/// nothing more.
Errc errc_of(std::string_view wire_code, int http_status);

}  // namespace vibes::client

template <>
struct std::is_error_code_enum<vibes::client::Errc> : std::true_type {};
