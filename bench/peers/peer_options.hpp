// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "measure_options.hpp"

namespace vibes::bench {

/// What the programs that measure us beside peers have in common.
struct PeerOptions : MeasureOptions {
  std::filesystem::path dir = std::filesystem::current_path();
  std::string ctl;  // the vibesctl to measure
};

/// Adds --runs, --only, --dir and --bin, and parses as parse_or_exit does. Lifts the limit of open
/// files. Returns the file for the JSON.
std::string parse_peer_options(CLI::App& app, int argc, char** argv,
                               const std::vector<std::string>& parts, PeerOptions& options);

}  // namespace vibes::bench
