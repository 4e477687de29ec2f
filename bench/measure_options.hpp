// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace vibes::bench {

/// The program of this name beside the one that runs.
inline std::string beside_us(const std::string& program) {
  return std::filesystem::canonical("/proc/self/exe").parent_path() / program;
}

/// What programs that measure a vibes-server in several runs have in common.
struct MeasureOptions {
  unsigned runs = 5;
  double seconds = 1;               // of each measurement
  std::vector<std::string> only{};  // the parts to measure; all that there are, before parsing
  std::string server = beside_us("vibes-server");

  [[nodiscard]] bool wants(const std::string& part) const {
    return std::ranges::find(only, part) != only.end();
  }
};

/// --runs, with the default that `runs` has.
inline void add_runs(CLI::App& app, unsigned& runs) {
  app.add_option("--runs", runs, "How often everything is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

/// --only, which names some of the parts that `only` holds.
inline void add_only(CLI::App& app, std::vector<std::string>& only, const std::string& what) {
  app.add_option("--only", only, what + "; may be repeated")
      ->check(CLI::IsMember(only))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("PART")
      ->capture_default_str();
}

/// --server, --runs, --seconds and --only, which says `what` its parts are. Afterwards, when the
/// command line has been parsed, `server` may be relative to the current directory.
///
/// In a header because GCC 12 finds a null pointer in CLI11's own split() where a file holds little
/// else.
inline void add_measure_options(CLI::App& app, MeasureOptions& options, const std::string& what) {
  app.add_option("--server", options.server, "The vibes-server to measure")->capture_default_str();
  add_runs(app, options.runs);
  app.add_option("--seconds", options.seconds, "Length of each measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_only(app, options.only, what);
}

}  // namespace vibes::bench
