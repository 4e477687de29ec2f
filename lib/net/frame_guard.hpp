// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/connection.hpp"

namespace vibes::net {

/// Why a WebSocket has to be closed.
struct Breach {
  CloseCode code;
  std::string reason;
};

/// Looks at the headers of a client's frames (RFC 6455 §5) as they arrive, in pieces of any size:
/// what breaks a rule is found before libwebsockets has parsed it, and a message over its limit
/// when it is announced. libwebsockets 4.1.6 alone takes frames that are not masked, and says
/// nothing about a frame before its first byte of payload.
class FrameGuard {
 public:
  explicit FrameGuard(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  /// How many of `bytes` may be parsed: all of them, or those before the frame that breaks a rule.
  /// Nothing may be passed after a breach.
  std::size_t pass(std::string_view bytes);

  [[nodiscard]] const std::optional<Breach>& breach() const { return breach_; }
  /// How many messages have begun, control frames apart.
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  /// Whether the last of them has not come to its end.
  [[nodiscard]] bool in_message() const { return in_message_; }

 private:
  [[nodiscard]] std::uint8_t opcode() const { return header_[0] & 0x0FU; }
  [[nodiscard]] bool is_control() const { return (opcode() & 0x08U) != 0; }
  [[nodiscard]] bool is_final() const { return (header_[0] & 0x80U) != 0; }
  [[nodiscard]] std::size_t header_bytes() const;
  [[nodiscard]] std::uint64_t payload_bytes() const;
  void take_header_byte(std::uint8_t byte);
  void check_opcode();
  void check_length_byte();
  void begin_payload();
  void end_frame();
  void refuse(std::string reason) {
    breach_ = Breach{CloseCode::protocol_error, std::move(reason)};
  }

  const std::size_t message_bytes_max_;
  std::array<std::uint8_t, 10> header_{};  // without the masking key
  std::size_t header_taken_ = 0;
  std::uint64_t left_ = 0;  // of the masking key and the payload; 0: in a header, or between frames
  std::uint64_t message_bytes_ = 0;  // announced so far
  std::uint64_t messages_ = 0;
  bool in_message_ = false;
  std::optional<Breach> breach_;
};

}  // namespace vibes::net
