// SPDX-License-Identifier: MIT
#include "net/intake.hpp"

#include <cerrno>
#include <string_view>
#include <utility>

namespace vibes::net {

Intake::Intake(int fd) : fd_(fd), hook_(fd, *this) {}

bool Intake::expect_frames(std::size_t message_bytes_max, std::function<void()> on_frames) {
  guard_.emplace(message_bytes_max);
  on_frames_ = std::move(on_frames);
  return head_end_.found() && !more_than_head_;
}

ssize_t Intake::receive(char* buffer, std::size_t size) {
  if (!head_end_.found()) {
    return receive_head(fd_, buffer, size, head_end_);
  }
  if (guard_) {
    return receive_frames(buffer, size);
  }
  const ssize_t got = receive_from(fd_, buffer, size);
  more_than_head_ = more_than_head_ || got > 0;
  return got;
}

/// After a breach the rest is thrown away: libwebsockets only waits for the end.
ssize_t Intake::receive_frames(char* buffer, std::size_t size) {
  const ssize_t got = receive_from(fd_, buffer, size);
  if (got <= 0) {
    return got;
  }
  const bool broken = guard_->breach().has_value();
  const std::size_t good =
      broken ? 0 : guard_->pass(std::string_view(buffer, static_cast<std::size_t>(got)));
  if (!broken) {
    on_frames_();
  }
  if (good == 0) {
    errno = EAGAIN;
    return -1;
  }
  return static_cast<ssize_t>(good);
}

}  // namespace vibes::net
