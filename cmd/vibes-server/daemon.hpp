// SPDX-License-Identifier: MIT
#pragma once

#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "options.hpp"

namespace vibes::server {

/// Runs the server until SIGTERM or SIGINT. What keeps it from starting is reported with a hint.
cli::ExitCode run_daemon(Options options, cli::Report& report);

}  // namespace vibes::server
