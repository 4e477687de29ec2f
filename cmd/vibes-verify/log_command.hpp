// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "verify/history.hpp"

namespace vibes::verify_cmd {

/// `vibes-verify log DIR`: reads every byte of a log and says what is wrong with it.
cli::ExitCode check_log_directory(const std::string& directory, cli::Report& report);

/// What a log directory holds, read without a server.
Result<std::vector<verify::Logged>> read_offline(const std::filesystem::path& directory);

}  // namespace vibes::verify_cmd
