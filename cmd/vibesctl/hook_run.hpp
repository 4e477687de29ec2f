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

/// Records the payload on standard input, and says on standard output what waits for the agent, if
/// anything. Whatever happens: ExitCode::ok, nothing else on standard output, and no longer than
/// the deadline and the disk take; what could not be recorded is told on standard error. With
/// VIBES_HOOKS=off in the environment nothing of this.
ExitCode run_hook(Session& session, const HookOptions& options);

}  // namespace vibes::ctl
