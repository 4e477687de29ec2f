// SPDX-License-Identifier: MIT
#pragma once

#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "options.hpp"

namespace vibes::verify_cmd {

/// `vibes-verify [run]`: plays scenarios and reports on them as they come.
cli::ExitCode run_scenarios(const Options& options, cli::Report& report);
/// `vibes-verify list`.
cli::ExitCode list_scenarios();

}  // namespace vibes::verify_cmd
