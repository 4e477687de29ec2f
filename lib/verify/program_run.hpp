// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"

namespace vibes::verify {

/// What to run, and what it is told.
struct ProgramRun {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // without its name
  std::vector<std::string> environment;  // NAME=VALUE, all of it
  std::string_view input;                // its standard input
};

/// What a program has said. `status` is its exit code, or 128 and the signal that ended it.
struct ProgramOutput {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs a program to its end. Past the deadline it is killed. Errors: Errc::timeout, or of
/// starting it.
Result<ProgramOutput> run_program(const ProgramRun& run, client::Deadline deadline);

}  // namespace vibes::verify
