// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

namespace vibes::verify {

enum class Errc {
  bad_history = 1,    // a line of a history is not what this version writes
  unknown_scenario,   // no scenario of that name
  server_not_found,   // no vibes-server to start
  server_failed,      // the server ended, or did not become ready in time
  timeout,            // what was waited for did not come
  unexpected_answer,  // the server answered something that the protocol does not allow here
  program_not_found,  // one of the other programs is missing
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

}  // namespace vibes::verify

template <>
struct std::is_error_code_enum<vibes::verify::Errc> : std::true_type {};
