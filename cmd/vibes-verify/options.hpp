// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "verify/report.hpp"
#include "verify/stage.hpp"

namespace vibes::verify_cmd {

/// The command line, taken apart.
struct Options {
  enum class Command : std::uint8_t { run, list, log };
  Command command = Command::run;

  // run
  std::vector<std::string> scenarios;
  cli::CommonOptions common;
  std::string log;
  verify::Format format = verify::Format::human;
  std::string output;  // empty: stdout
  std::optional<std::uint64_t> seed;
  std::uint64_t events = 100'000;
  double timeout_s = 60;
  verify::RunOptions::Keep keep = verify::RunOptions::Keep::no;

  // log
  std::string directory;
};

/// Returns the code to exit with where there is nothing to do.
std::optional<cli::ExitCode> parse(int argc, const char* const* argv, Options& options,
                                   cli::Report& report);

}  // namespace vibes::verify_cmd
