// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/recv_hook.hpp"

namespace vibes::client {

/// What a server sends, on its way from the socket to libwebsockets, which would copy a message
/// byte by byte: takes the messages out (RFC 6455 §5) and leaves control frames to it. Before the
/// frames it lets the head of the answer to the upgrade through alone, so that the library never
/// sees a part of one.
///
/// One thread at a time. The socket must outlive it, or be closed without being read again.
class FrameIntake final : public Receiver {
 public:
  /// `on_message` gets each message once it is whole.
  FrameIntake(int fd, std::function<void(std::string message)> on_message)
      : fd_(fd), on_message_(std::move(on_message)) {}

  [[nodiscard]] int fd() const { return fd_; }
  /// The upgrade was accepted: what follows is frames.
  void expect_frames() { frames_ = true; }

  /// Fails with EPROTO, now and ever after, where the server has broken the rules of framing.
  ssize_t receive(char* buffer, std::size_t size) override;

 private:
  std::size_t sort_out(char* bytes, std::size_t size);
  void take_header_byte(std::uint8_t byte);
  [[nodiscard]] bool may_begin() const;
  [[nodiscard]] std::size_t header_bytes() const;
  [[nodiscard]] std::uint64_t payload_bytes() const;
  void end_frame();
  [[nodiscard]] std::uint8_t opcode() const { return header_[0] & 0x0FU; }
  [[nodiscard]] bool is_control() const { return opcode() >= 8; }

  const int fd_;
  const std::function<void(std::string)> on_message_;
  HeadEnd head_end_;
  bool frames_ = false;
  bool broken_ = false;
  std::array<std::uint8_t, 10> header_{};
  std::size_t header_taken_ = 0;
  std::uint64_t left_ = 0;  // of the payload; 0: in a header, or between frames
  bool in_message_ = false;
  std::string message_;
};

}  // namespace vibes::client
