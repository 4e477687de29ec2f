// SPDX-License-Identifier: MIT
#include "net/intake.hpp"

#include <algorithm>
#include <cerrno>

namespace vibes::net {

Intake::Intake(int fd) : fd_(fd), hook_(fd, *this) {}

bool Intake::expect_frames(std::size_t message_bytes_max, MessageSink& sink) {
  guard_.emplace(message_bytes_max);
  sink_ = &sink;
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

ssize_t Intake::next_bytes(char* buffer, std::size_t size) {
  if (left_over_.empty()) {
    return receive_from(fd_, buffer, size);
  }
  const std::size_t count = left_over_.copy(buffer, size);
  left_over_.erase(0, count);
  if (left_over_.empty()) {
    left_over_.shrink_to_fit();
  }
  return static_cast<ssize_t>(count);
}

/// After a breach the rest is thrown away: libwebsockets only waits for the end.
ssize_t Intake::receive_frames(char* buffer, std::size_t size) {
  const ssize_t got = next_bytes(buffer, size);
  if (got <= 0) {
    return got;
  }
  if (!guard_->breach()) {
    const std::span bytes(buffer, static_cast<std::size_t>(got));
    const auto sorted = sorter_.sort(bytes, *this);
    if (!sorted.broken) {
      const auto rest = bytes.subspan(sorted.taken);
      left_over_.insert(0, rest.data(), rest.size());
    }
    sink_->on_frames();
    if (sorted.kept > 0) {
      return static_cast<ssize_t>(sorted.kept);
    }
  }
  errno = EAGAIN;
  return -1;
}

bool Intake::accept(const wire::FrameHeader& header) { return guard_->accept(header); }

bool Intake::take(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) {
  if (frame_ends) {
    guard_->end_frame(header);
  }
  sink_->on_piece(header, piece, frame_ends);
  return sink_->wants_more();
}

}  // namespace vibes::net
