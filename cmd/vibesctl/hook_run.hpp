// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "verb.hpp"

namespace vibes::ctl {

struct HookOptions {
  std::string tag;
  std::string timeout;  // empty: limits::kHookWithin
};

/// Ignores the signals by which an agent's terminal, its impatience or its disk quota would end the
/// recording of a hook.
void outlive_agent();

/// Records the payload on standard input. Whatever happens: ExitCode::ok, nothing on standard
/// output, and no longer than the deadline and the disk take; what could not be recorded is told on
/// standard error.
ExitCode run_hook(Session& session, const HookOptions& options);

}  // namespace vibes::ctl
