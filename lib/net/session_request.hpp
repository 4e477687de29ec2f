// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "session/session_registry.hpp"

namespace vibes::net {

/// What a client of GET /ws asks for.
struct SessionRequest {
  enum class Kind { list, attach, detach, input, resize, kill };
  Kind kind = Kind::list;
  std::string request_id;  // list
  session::SessionSpec
      spec;  // id: all but list; cols and rows: attach and, both set, resize; the rest: attach
  std::string data;  // input, decoded
};

struct ParsedRequest {
  SessionRequest request;
  std::optional<std::string> refused;  // the error message to answer instead
};

/// Reads one message. Refuses with the codes bad_message and unsupported (docs/protocol.md §5).
/// Thread-safe.
ParsedRequest parse_session_request(std::string_view text);

/// The body of POST /api/sessions: as `attach`, without a type and with an id of ours if it names
/// none. Errors: std::errc::invalid_argument with what is wrong.
Result<session::SessionSpec> parse_session_spec(std::string_view body);

}  // namespace vibes::net
