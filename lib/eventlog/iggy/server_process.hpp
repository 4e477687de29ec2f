// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vibes::eventlog::iggy {

/// A program that runs until it is told to end. It dies with the thread that started it, however
/// that ends. Belongs to one thread at a time, but for signal().
class ServerProcess {
 public:
  struct Options {
    std::string program;
    std::vector<std::string> arguments;
    /// All of it.
    std::vector<std::pair<std::string, std::string>> environment;
    std::string directory;  // where it runs
    std::string output;     // a file for what it prints, emptied
  };
  /// As many bytes may be locked in memory as the machine allows us. Errors: of the system.
  static Result<ServerProcess> start(const Options& options);

  ServerProcess(ServerProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ServerProcess& operator=(ServerProcess&& other) noexcept;
  /// Kills it if it still runs.
  ~ServerProcess() { kill(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Its exit status, 128 + n if signal n ended it; nothing while it runs.
  std::optional<int> poll();
  /// The same, waiting for it.
  std::optional<int> wait(std::chrono::milliseconds within);
  void signal(int number) const;
  void kill();

 private:
  explicit ServerProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;  // until it was reaped
  std::optional<int> status_;
};

/// Where a program is: `name` as it is if it has a slash, else in $PATH. Nothing: not there.
std::optional<std::string> find_program(const std::string& name);

}  // namespace vibes::eventlog::iggy
