// SPDX-License-Identifier: MIT
#include "session/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::session {

namespace {

struct Text {
  std::string_view wire;
  std::string_view person;
};

Text text_of(Errc code) {
  switch (code) {
    case Errc::session_not_found:
      return {"session_not_found", "no such session"};
    case Errc::session_exists:
      return {"session_exists", "a session with this id exists already"};
    case Errc::session_exited:
      return {"session_exited", "the session's program has ended"};
    case Errc::bad_session_id:
      return {"bad_session_id", "a session id has 1 to 256 bytes and no control characters"};
    case Errc::bad_name:
      return {"bad_name", "a session name has at most 256 bytes"};
    case Errc::bad_size:
      return {"bad_size", "columns and rows are 1 to 1000"};
    case Errc::bad_cwd:
      return {"bad_cwd", "cwd must be the absolute path of a directory that can be entered"};
    case Errc::bad_command:
      return {"bad_command", "the command cannot be run"};
    case Errc::too_many_sessions:
      return {"too_many_sessions", "256 sessions run already; end one first"};
    case Errc::spawn_failed:
      return {"spawn_failed", "the system refused a terminal or a process"};
    case Errc::input_too_large:
      return {"input_too_large", "one input has at most 65536 bytes; nothing was written"};
    case Errc::log_unavailable:
      return {"log_unavailable", "the log takes no events, so no session may start"};
    case Errc::busy:
      return {"busy", "too many requests wait; try again"};
    case Errc::stopping:
      return {"stopping", "the server is stopping"};
  }
  return {"internal", "unknown"};
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("session",
                                             [](Errc code) { return text_of(code).person; });
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

std::string_view wire_code(const std::error_code& code) {
  return code.category() == error_category() ? text_of(static_cast<Errc>(code.value())).wire
                                             : "internal";
}

}  // namespace vibes::session
