// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "cli/signals.hpp"

namespace vibes::cli {

/// Writes data to a file descriptor without ever being stuck in write(2): a reader that does not
/// read makes it wait, a signal or a reader that goes away ends the wait. One thread at a time.
class Output {
 public:
  enum class Outcome : unsigned char { written, interrupted, reader_gone };

  /// `fd` and `interrupts` are borrowed.
  Output(int fd, const Interrupts& interrupts) : fd_(fd), interrupts_(interrupts) {}

  /// `written` means that all of it was taken. Errors: the I/O error (a full disk behind a
  /// redirection).
  Result<Outcome> write(std::string_view bytes);

 private:
  int fd_;
  const Interrupts& interrupts_;
};

}  // namespace vibes::cli
