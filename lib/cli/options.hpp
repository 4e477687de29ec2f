// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "cli/term.hpp"

namespace CLI {
class App;
}

namespace vibes::cli {

/// What every verb of vibesctl (and vibes-verify) takes.
struct CommonOptions {
  std::optional<std::string> url;
  std::optional<std::string> token_file;
  Color color = Color::automatic;
  bool quiet = false;
};

/// --url, --token-file, --color, -q. `options` must outlive `app`.
void add_common_options(CLI::App& app, CommonOptions& options);

/// Parses the command line. Returns the code to exit with where the program is done: after --help
/// and --version (on stdout), and after a mistake (reported with a hint, ExitCode::usage). Nothing:
/// go on.
std::optional<ExitCode> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                           Report& report);

/// The candidate nearest to `word` by edit distance, if one is near enough to be what was meant.
std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates);

}  // namespace vibes::cli
