// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vibes::ctl {

/// How far a long piece of work is, in one line of a terminal on standard error; nothing where that
/// is no terminal. One thread.
class ProgressBar {
 public:
  /// `total`: of what show() is given; 0: not known.
  explicit ProgressBar(std::uint64_t total);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  /// At most ten times a second.
  void show(std::uint64_t done, const std::string& text);
  /// Before something else is written there.
  void clear();

 private:
  std::uint64_t total_;
  std::size_t columns_;  // 0: no terminal
  std::chrono::steady_clock::time_point next_;
  bool shown_ = false;
};

}  // namespace vibes::ctl
