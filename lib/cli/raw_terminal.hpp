// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include <termios.h>

#include "base/result.hpp"

namespace vibes::cli {

/// A terminal in raw mode (termios(3), cfmakeraw) while this lives: every key comes at once and as
/// it is, none is echoed and none sends a signal. The destructor puts the terminal back, and so
/// does a crash of the process (SIGSEGV, SIGABRT and their like); signals that end a process
/// quietly are the caller's to catch. At most one at a time.
class RawTerminal {
 public:
  /// Errors: `fd` is no terminal, or will not be set.
  static Result<std::unique_ptr<RawTerminal>> enter(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  /// Puts the terminal back for a while: to say something, or to be stopped. Any thread.
  void restore() const noexcept;
  /// Raw again after restore(), or after somebody else has set the terminal.
  void enter_again() const noexcept;

 private:
  RawTerminal(int fd, const termios& before) : fd_(fd), before_(before) {}

  int fd_;
  termios before_;
};

}  // namespace vibes::cli
