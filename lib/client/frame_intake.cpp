// SPDX-License-Identifier: MIT
#include "client/frame_intake.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vibes::client {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kBinary = 2;
constexpr std::size_t kShortHeader = 2;

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
  const std::size_t kept = sort_out(buffer, static_cast<std::size_t>(got));
  if (kept > 0) {
    return static_cast<ssize_t>(kept);
  }
  return fail_with(broken_ ? EPROTO : EAGAIN);
}

/// Moves what is the library's to the front; how much that is.
std::size_t FrameIntake::sort_out(char* bytes, std::size_t size) {
  std::size_t kept = 0;
  const auto keep = [&](std::size_t at, std::size_t count) {
    std::memmove(bytes + kept, bytes + at, count);
    kept += count;
  };
  for (std::size_t at = 0; at < size && !broken_;) {
    if (left_ == 0) {
      take_header_byte(static_cast<std::uint8_t>(bytes[at]));
      if (!broken_ && is_control()) {
        keep(at, 1);
      }
      ++at;
    } else {
      const auto count = std::min<std::uint64_t>(left_, size - at);
      if (is_control()) {
        keep(at, count);
      } else {
        message_.append(bytes + at, count);
      }
      at += count;
      left_ -= count;
      if (left_ == 0) {
        end_frame();
      }
    }
  }
  return kept;
}

/// Of control frames nothing is judged: the library does.
bool FrameIntake::may_begin() const {
  if (is_control()) {
    return true;
  }
  return (header_[0] & kReserved) == 0 && opcode() <= kBinary &&
         (opcode() == kContinuation) == in_message_;
}

std::size_t FrameIntake::header_bytes() const {
  const auto length = static_cast<std::uint8_t>(header_[1] & ~kMasked);
  return length == kLength16   ? kShortHeader + 2
         : length == kLength64 ? kShortHeader + 8
                               : kShortHeader;
}

std::uint64_t FrameIntake::payload_bytes() const {
  if (header_bytes() == kShortHeader) {
    return header_[1] & static_cast<std::uint8_t>(~kMasked);
  }
  std::uint64_t length = 0;
  for (std::size_t i = kShortHeader; i < header_bytes(); ++i) {
    length = length << 8U | header_.at(i);
  }
  return length;
}

void FrameIntake::take_header_byte(std::uint8_t byte) {
  header_.at(header_taken_++) = byte;
  if (header_taken_ < kShortHeader) {
    broken_ = !may_begin();
    return;
  }
  if (header_taken_ < header_bytes()) {
    return;
  }
  left_ = payload_bytes();
  broken_ = (header_[1] & kMasked) != 0 || left_ >> 63U != 0;
  header_taken_ = 0;
  if (left_ == 0 && !broken_) {
    end_frame();
  }
}

void FrameIntake::end_frame() {
  if (is_control()) {
    return;
  }
  in_message_ = (header_[0] & kFinal) == 0;
  if (!in_message_) {
    on_message_(std::exchange(message_, {}));
  }
}

}  // namespace vibes::client
