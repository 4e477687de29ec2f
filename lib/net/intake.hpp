// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <sys/types.h>

#include "base/recv_hook.hpp"
#include "net/frame_guard.hpp"

namespace vibes::net {

/// What a peer sends, on its way from the socket to libwebsockets. Lets the head of the request
/// through alone, and the frames of a WebSocket only as far as they keep the rules.
///
/// It belongs to the net thread it was made on. The socket must outlive it, or be closed without
/// being read again.
class Intake final : public Receiver {
 public:
  explicit Intake(int fd);

  /// What follows is frames. `on_frames` is called whenever some have arrived, before libwebsockets
  /// parses them. False: the peer did not wait for our answer, or we have not seen what it sent.
  [[nodiscard]] bool expect_frames(std::size_t message_bytes_max, std::function<void()> on_frames);
  [[nodiscard]] const FrameGuard& guard() const { return *guard_; }

  ssize_t receive(char* buffer, std::size_t size) override;

 private:
  ssize_t receive_frames(char* buffer, std::size_t size);

  const int fd_;
  HeadEnd head_end_;
  bool more_than_head_ = false;
  std::optional<FrameGuard> guard_;
  std::function<void()> on_frames_;
  RecvHook hook_;  // last: until now nothing may call us
};

}  // namespace vibes::net
