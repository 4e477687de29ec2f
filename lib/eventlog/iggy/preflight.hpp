// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace vibes::eventlog::iggy {

/// What an Iggy server needs of the machine it runs on, as far as it concerns us.
struct Machine {
  enum class User : std::uint8_t { ordinary, root };
  std::string kernel;                             // "6.1.0-18-amd64"
  int io_uring_disabled = 0;                      // sysctl kernel.io_uring_disabled
  std::optional<std::uint64_t> locked_bytes_max;  // RLIMIT_MEMLOCK, hard; nothing: no limit
  User user = User::ordinary;
};

/// This one.
Machine this_machine();

/// Errors: not_supported, saying what is missing and what to do.
Result<void> check_machine(const Machine& machine);

}  // namespace vibes::eventlog::iggy
