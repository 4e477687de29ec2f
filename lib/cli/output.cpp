// SPDX-License-Identifier: MIT
#include "cli/output.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <unistd.h>

namespace vibes::cli {

Result<Output::Outcome> Output::write(std::string_view bytes) {
  // Signals arrive on another thread and do not interrupt poll(2) here, so look for them now and
  // then.
  constexpr int kLookEveryMs = 100;
  while (!bytes.empty()) {
    if (interrupts_.happened()) {
      return interrupts_.reader_is_gone() ? Outcome::reader_gone : Outcome::interrupted;
    }
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, kLookEveryMs) <= 0) {
      continue;
    }
    // A pipe that is ready takes PIPE_BUF bytes without blocking, whether or not it is in
    // non-blocking mode.
    const ssize_t written =
        ::write(fd_, bytes.data(), std::min(bytes.size(), std::size_t{PIPE_BUF}));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return Outcome::reader_gone;
    } else if (errno != EINTR && errno != EAGAIN) {
      return fail_errno("cannot write to standard output");
    }
  }
  return Outcome::written;
}

}  // namespace vibes::cli
