// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace vibes::bench {

/// What the programs that measure us beside peers have in common.
struct PeerOptions {
  unsigned runs = 5;
  std::vector<std::string> only;  // the parts to measure
  std::filesystem::path dir = std::filesystem::current_path();
  std::string server;  // the vibes-server to measure
  std::string ctl;     // and the vibesctl

  [[nodiscard]] bool wants(const std::string& part) const;
};

/// Adds --runs, --only, --dir and --bin, and parses as parse_or_exit does. Lifts the limit of open
/// files. Returns the file for the JSON.
std::string parse_peer_options(CLI::App& app, int argc, char** argv,
                               const std::vector<std::string>& parts, PeerOptions& options);

}  // namespace vibes::bench
