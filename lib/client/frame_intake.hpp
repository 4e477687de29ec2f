// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "wire/frame_sorter.hpp"
#include "wire/recv_hook.hpp"

namespace vibes::client {

/// What a server sends, on its way from the socket to libwebsockets: takes the messages out and
/// leaves control frames to it. Before the frames it lets the head of the answer to the upgrade
/// through alone, so that the library never sees a part of one.
///
/// One thread at a time. The socket must outlive it, or be closed without being read again.
class FrameIntake final : public Receiver, private wire::FrameSink {
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
  bool accept(const wire::FrameHeader& header) override;
  bool take(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) override;

  const int fd_;
  const std::function<void(std::string)> on_message_;
  HeadEnd head_end_;
  bool frames_ = false;
  bool broken_ = false;
  wire::FrameSorter sorter_;
  bool in_message_ = false;
  std::string message_;
};

}  // namespace vibes::client
