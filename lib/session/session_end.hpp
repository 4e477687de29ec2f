// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

namespace vibes::session {

/// How a session's program ended. At most one of the two is set; neither where it was killed on
/// request and nobody waited for how it took it.
struct SessionEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;  // the signal that ended it

  /// One number for both, as a shell has it in $?.
  [[nodiscard]] int status() const { return exit_code.value_or(128 + signal.value_or(9)); }
};

}  // namespace vibes::session
