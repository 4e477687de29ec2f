// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vibes::ctl {

/// A command run by sh, with its standard input given whole. The child inherits stdout and stderr.
/// Its death is announced by SIGCHLD.
class Child {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;
  /// `environment` is added to ours.
  static Result<Child> start(const std::string& command, std::string_view input,
                             const Environment& environment);

  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  /// Terminates it and waits, if it is still running.
  ~Child();

  /// How it ended, nothing while it runs: the exit code, or 128+n if a signal killed it. Never
  /// waits.
  std::optional<int> poll();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

}  // namespace vibes::ctl
