// SPDX-License-Identifier: MIT
#include "progress_bar.hpp"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/term.hpp"

namespace vibes::ctl {
namespace {

constexpr std::size_t kBarColumns = 24;
constexpr std::chrono::milliseconds kBetween{100};
constexpr const char* kClearLine = "\r\x1b[K";

std::string bar(std::uint64_t done, std::uint64_t total) {
  const std::size_t full = std::min(done, total) * kBarColumns / total;
  return fmt::format("[{}{}] {:3}%  ", std::string(full, '#'), std::string(kBarColumns - full, ' '),
                     std::min(done, total) * 100 / total);
}

}  // namespace

ProgressBar::ProgressBar(std::uint64_t total)
    : total_(total), columns_(cli::terminal_columns(STDERR_FILENO).value_or(0)) {}

void ProgressBar::show(std::uint64_t done, const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (columns_ == 0 || now < next_) {
    return;
  }
  next_ = now + kBetween;
  std::string line = (total_ > 0 ? bar(done, total_) : std::string()) + text;
  cli::fit_columns(line, columns_ - 1);
  std::cerr << kClearLine << line << std::flush;
  shown_ = true;
}

void ProgressBar::clear() {
  if (shown_) {
    std::cerr << kClearLine << std::flush;
    shown_ = false;
  }
}

}  // namespace vibes::ctl
