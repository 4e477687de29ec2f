// SPDX-License-Identifier: MIT
#include "net/frame_guard.hpp"

#include <algorithm>

namespace vibes::net {

namespace {

constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7F;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kShortHeader = 2;
constexpr std::size_t kMaskingKeyBytes = 4;

bool is_known(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

std::size_t FrameGuard::pass(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (left_ > 0) {
      const auto skipped = std::min<std::uint64_t>(left_, bytes.size() - at);
      at += skipped;
      left_ -= skipped;
      if (left_ == 0) {
        end_frame();
      }
      continue;
    }
    const std::size_t frame = at - std::min(at, header_taken_);
    take_header_byte(static_cast<std::uint8_t>(bytes[at++]));
    if (breach_) {
      return frame;
    }
  }
  return at;
}

std::size_t FrameGuard::header_bytes() const {
  const std::uint8_t length = header_[1] & kLength;
  return length == kLength16   ? kShortHeader + 2
         : length == kLength64 ? kShortHeader + 8
                               : kShortHeader;
}

std::uint64_t FrameGuard::payload_bytes() const {
  if (header_bytes() == kShortHeader) {
    return header_[1] & kLength;
  }
  std::uint64_t length = 0;
  for (std::size_t i = kShortHeader; i < header_bytes(); ++i) {
    length = length << 8U | header_.at(i);
  }
  return length;
}

void FrameGuard::take_header_byte(std::uint8_t byte) {
  header_.at(header_taken_++) = byte;
  if (header_taken_ == 1) {
    check_opcode();
  } else if (header_taken_ == kShortHeader) {
    check_length_byte();
  }
  if (!breach_ && header_taken_ >= kShortHeader && header_taken_ == header_bytes()) {
    begin_payload();
  }
}

void FrameGuard::check_opcode() {
  if ((header_[0] & kReserved) != 0) {
    refuse("a reserved bit is set, no extension was agreed on");
  } else if (!is_known(opcode())) {
    refuse("an opcode that is reserved");
  } else if (is_control()) {
    if (!is_final()) {
      refuse("a control frame is one fragment");
    }
  } else if (opcode() == kContinuation && !in_message_) {
    refuse("a continuation of nothing");
  } else if (opcode() != kContinuation && in_message_) {
    refuse("a message inside a message");
  }
}

void FrameGuard::check_length_byte() {
  if ((header_[1] & kMasked) == 0) {
    refuse("a client masks its frames");
  } else if (is_control() && header_bytes() != kShortHeader) {
    refuse("a control frame has 125 bytes at most");
  }
}

void FrameGuard::begin_payload() {
  const std::uint64_t length = payload_bytes();
  header_taken_ = 0;
  if (length >> 63U != 0) {
    return refuse("a length has 63 bits");
  }
  left_ = kMaskingKeyBytes + length;
  if (is_control()) {
    return;
  }
  if (opcode() != kContinuation) {
    ++messages_;
    in_message_ = true;
    message_bytes_ = 0;
  }
  if (length > message_bytes_max_ - message_bytes_) {
    breach_ = Breach{CloseCode::too_big,
                     "a message has " + std::to_string(message_bytes_max_) + " bytes at most"};
    return;
  }
  message_bytes_ += length;
}

void FrameGuard::end_frame() {
  if (!is_control() && is_final()) {
    in_message_ = false;
  }
}

}  // namespace vibes::net
