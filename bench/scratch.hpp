// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// New directories for a benchmark's files, removed with all they hold at the end, also where
/// exit() is that end, or SIGINT, SIGTERM or SIGHUP: they are blocked here and wait for a thread of
/// this object's own, so it must be made before any other thread, and be the only one at a time.
class Scratch {
 public:
  /// One below each of `parents`. `stop_users` is called before a removal by signal or exit(), to
  /// end the processes that write there. Ends the program with a message where there can be no
  /// directory.
  explicit Scratch(const std::vector<std::filesystem::path>& parents,
                   std::function<void()> stop_users = {});
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  [[nodiscard]] const std::filesystem::path& path(std::size_t index) const {
    return paths_.at(index);
  }

 private:
  static void remove_at_exit();
  void watch() const;
  void clear() const;
  void remove() const;

  std::vector<std::filesystem::path> paths_;
  std::function<void()> stop_users_;
  UniqueFd signals_;
  UniqueFd over_;
  std::thread watcher_;
};

}  // namespace vibes::bench
