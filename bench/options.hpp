// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace vibes::bench {

/// Adds what every benchmark understands, `--json FILE`, and parses. Prints the help or what is
/// wrong and ends the program, with 0 or 2, where there is nothing to run. Returns FILE, or
/// nothing.
std::string parse_or_exit(CLI::App& app, int argc, char** argv);

}  // namespace vibes::bench
