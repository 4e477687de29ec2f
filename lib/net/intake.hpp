// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <sys/types.h>

#include "net/frame_guard.hpp"

namespace vibes::net {

/// What a peer sends, on its way from the socket to libwebsockets. Lets the head of the request
/// through alone, and the frames of a WebSocket only as far as they keep the rules.
///
/// libwebsockets 4.1 has no callback between the socket and its parser. It receives by recv(2), and
/// the program that links this has a recv() of its own: what a socket with an Intake on this thread
/// receives goes through it, every other call as ever. Over TLS, which this server does not speak,
/// there would be nothing to see.
///
/// It belongs to the net thread it was made on. The socket must outlive it, or be closed without
/// being read again.
class Intake {
 public:
  explicit Intake(int fd);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();

  /// What follows is frames. `on_frames` is called whenever some have arrived, before libwebsockets
  /// parses them. False: the peer did not wait for our answer, or we have not seen what it sent.
  [[nodiscard]] bool expect_frames(std::size_t message_bytes_max, std::function<void()> on_frames);
  [[nodiscard]] const FrameGuard& guard() const { return *guard_; }

  /// recv(2) without flags, for libwebsockets.
  ssize_t receive(char* buffer, std::size_t size);

 private:
  ssize_t receive_head(char* buffer, std::size_t size);
  ssize_t receive_frames(char* buffer, std::size_t size);
  [[nodiscard]] bool head_ended() const;

  const int fd_;
  std::size_t head_end_matched_ = 0;  // how much of the empty line that ends the head
  bool more_than_head_ = false;
  std::optional<FrameGuard> guard_;
  std::function<void()> on_frames_;
};

}  // namespace vibes::net
