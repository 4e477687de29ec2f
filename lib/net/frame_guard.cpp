// SPDX-License-Identifier: MIT
#include "net/frame_guard.hpp"

namespace vibes::net {

using wire::FrameHeader;
using wire::Opcode;

bool FrameGuard::accept(const FrameHeader& header) {
  check_opcode(header);
  if (!breach_ && header.bytes_taken() > 1) {
    check_length_byte(header);
  }
  in_header_ = !breach_ && !header.is_control() && !header.is_whole();
  if (!breach_ && header.is_whole()) {
    begin_payload(header);
  }
  return !breach_;
}

void FrameGuard::check_opcode(const FrameHeader& header) {
  if (header.has_reserved_bits()) {
    refuse("a reserved bit is set, no extension was agreed on");
  } else if (!wire::is_known(header.opcode())) {
    refuse("an opcode that is reserved");
  } else if (header.is_control()) {
    if (!header.is_final()) {
      refuse("a control frame is one fragment");
    }
  } else if (header.opcode() == Opcode::continuation && !in_message_) {
    refuse("a continuation of nothing");
  } else if (header.opcode() != Opcode::continuation && in_message_) {
    refuse("a message inside a message");
  }
}

void FrameGuard::check_length_byte(const FrameHeader& header) {
  if (!header.is_masked()) {
    refuse("a client masks its frames");
  } else if (header.is_control() && header.has_long_length()) {
    refuse("a control frame has 125 bytes at most");
  }
}

void FrameGuard::begin_payload(const FrameHeader& header) {
  const std::uint64_t length = header.payload_bytes();
  if (length >> 63U != 0) {
    return refuse("a length has 63 bits");
  }
  if (header.is_control()) {
    return;
  }
  if (header.opcode() != Opcode::continuation) {
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

void FrameGuard::end_frame(const FrameHeader& header) {
  if (header.is_final()) {
    in_message_ = false;
  }
}

}  // namespace vibes::net
