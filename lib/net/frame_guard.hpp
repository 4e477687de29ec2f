// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "net/connection.hpp"
#include "wire/frame_header.hpp"

namespace vibes::net {

/// Why a WebSocket has to be closed.
struct Breach {
  CloseCode code;
  std::string reason;
};

/// The rules for a client's frames (RFC 6455 §5), and our limit for a message: what breaks one is
/// found as soon as the header says so. libwebsockets 4.1.6 alone takes frames that are not masked,
/// and says nothing about a frame before its first byte of payload.
class FrameGuard {
 public:
  explicit FrameGuard(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  /// Looks at what there is of a header. False: a rule is broken, and nothing may follow.
  [[nodiscard]] bool accept(const wire::FrameHeader& header);
  /// The payload of the last header has come to its end.
  void end_frame(const wire::FrameHeader& header);

  [[nodiscard]] const std::optional<Breach>& breach() const { return breach_; }
  /// How many messages have begun, control frames apart.
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  /// Whether the last of them has not come to its end, or the next one's header is not whole.
  [[nodiscard]] bool in_message() const { return in_message_ || in_header_; }

 private:
  void check_opcode(const wire::FrameHeader& header);
  void check_length_byte(const wire::FrameHeader& header);
  void begin_payload(const wire::FrameHeader& header);
  void refuse(std::string reason) {
    breach_ = Breach{CloseCode::protocol_error, std::move(reason)};
  }

  const std::size_t message_bytes_max_;
  std::uint64_t message_bytes_ = 0;  // announced so far
  std::uint64_t messages_ = 0;
  bool in_message_ = false;
  bool in_header_ = false;  // of no control frame
  std::optional<Breach> breach_;
};

}  // namespace vibes::net
