// SPDX-License-Identifier: MIT
#pragma once

namespace vibes::cli {

/// What every program of ours exits with. The numbers are part of the interface (man pages, "EXIT
/// STATUS"): never renumber. 128+n stands for death by signal n and is reached by re-raising the
/// signal, not by exit().
enum class ExitCode : int {
  ok = 0,
  failure = 1,
  usage = 2,
  cannot_connect = 3,
  authentication = 4,
  not_found = 5,
  gap = 6,  // events are gone, or the cursor cannot be used
  verification_failed = 7,
  expectation_failed = 8,
  conflict = 9,
  event_rejected = 10,
  full = 11,  // a queue or a disk
  damaged = 65,
  io_error = 74,
  already_running = 75,
  timeout = 124,
};

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace vibes::cli
