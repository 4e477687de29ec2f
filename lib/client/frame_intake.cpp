// SPDX-License-Identifier: MIT
#include "client/frame_intake.hpp"

#include <cerrno>
#include <span>

namespace vibes::client {
namespace {

ssize_t fail_with(int error) {
  errno = error;
  return -1;
}

}  // namespace

ssize_t FrameIntake::receive(char* buffer, std::size_t size) {
  if (!head_end_.found()) {
    return receive_head(fd_, buffer, size, head_end_);
  }
  if (broken_) {
    return fail_with(EPROTO);
  }
  const ssize_t got = receive_from(fd_, buffer, size);
  if (!frames_ || got <= 0) {
    return got;
  }
  const auto sorted = sorter_.sort(std::span(buffer, static_cast<std::size_t>(got)), *this);
  broken_ = sorted.broken;
  if (sorted.kept > 0) {
    return static_cast<ssize_t>(sorted.kept);
  }
  return fail_with(broken_ ? EPROTO : EAGAIN);
}

/// Of control frames nothing is judged: the library does.
bool FrameIntake::accept(const wire::FrameHeader& header) {
  if (header.is_control()) {
    return true;
  }
  if (header.has_reserved_bits() || !wire::is_known(header.opcode()) ||
      (header.opcode() == wire::Opcode::continuation) != in_message_) {
    return false;
  }
  if (header.bytes_taken() > 1 && header.is_masked()) {
    return false;
  }
  return !header.is_whole() || header.payload_bytes() >> 63U == 0;
}

bool FrameIntake::take(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) {
  message_ += piece;
  in_message_ = !(frame_ends && header.is_final());
  if (!in_message_) {
    on_message_(std::exchange(message_, {}));
  }
  return true;
}

}  // namespace vibes::client
