// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/unique_fd.hpp"

namespace vibes::test {

/// Where a process is to die: at the `number`-th of its steps, or of those that are called `step`.
/// The first is number 1; at 0 it lives.
struct DieAt {
  std::uint64_t number = 0;
  std::string step = {};
};

/// Counts the steps of one process and kills it with SIGKILL at one of them. What it is told to
/// note lies in a file that outlives it, a line each. Thread-safe.
class Steps {
 public:
  Steps(const std::string& notes, DieAt die_at)
      : notes_(::open(notes.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        die_at_(std::move(die_at)) {
    VIBES_ASSERT(notes_);
  }

  void reach(const std::string& step) {
    const bool counts = die_at_.step.empty() || die_at_.step == step;
    if (counts && ++reached_ == die_at_.number) {
      note("killed " + step);
      (void)::raise(SIGKILL);
    }
  }

  void note(std::string line) {
    line += '\n';
    VIBES_ASSERT(::write(notes_.get(), line.data(), line.size()) ==
                 static_cast<ssize_t>(line.size()));
  }

 private:
  const UniqueFd notes_;
  const DieAt die_at_;
  std::atomic<std::uint64_t> reached_ = 0;
};

}  // namespace vibes::test
