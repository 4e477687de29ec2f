// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "net/frame_guard.hpp"
#include "wire/frame_sorter.hpp"
#include "wire/recv_hook.hpp"

namespace vibes::net {

/// Whose messages an Intake takes out of the stream.
class MessageSink {
 public:
  MessageSink() = default;
  MessageSink(const MessageSink&) = delete;
  MessageSink& operator=(const MessageSink&) = delete;
  virtual ~MessageSink() = default;

  /// The next piece of a frame of a message, unmasked, which lives until this returns; of an empty
  /// frame the empty one.
  virtual void on_piece(const wire::FrameHeader& header, std::string_view piece,
                        bool frame_ends) = 0;
  /// All that came has been looked at, or what came before a breach.
  virtual void on_frames() = 0;
  /// Whether it takes another piece now.
  [[nodiscard]] virtual bool wants_more() const = 0;
};

/// What a peer sends, on its way from the socket to libwebsockets. Lets the head of the request
/// through alone. Of the frames of a WebSocket it takes the messages out, and passes on control
/// frames only, and these only as far as all frames keep the rules.
///
/// It belongs to the net thread it was made on. The socket must outlive it, or be closed without
/// being read again.
class Intake final : public Receiver, private wire::FrameSink {
 public:
  explicit Intake(int fd);

  /// What follows is frames. False: the peer did not wait for our answer, or we have not seen what
  /// it sent.
  [[nodiscard]] bool expect_frames(std::size_t message_bytes_max, MessageSink& sink);
  [[nodiscard]] const FrameGuard& guard() const { return *guard_; }
  /// Whether there are bytes left that were received when the sink wanted no more. The next
  /// receive() begins with them.
  [[nodiscard]] bool has_left_over() const { return !left_over_.empty(); }

  ssize_t receive(char* buffer, std::size_t size) override;

 private:
  ssize_t receive_frames(char* buffer, std::size_t size);
  ssize_t next_bytes(char* buffer, std::size_t size);
  bool accept(const wire::FrameHeader& header) override;
  bool take(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) override;

  const int fd_;
  HeadEnd head_end_;
  bool more_than_head_ = false;
  std::optional<FrameGuard> guard_;
  wire::FrameSorter sorter_;
  MessageSink* sink_ = nullptr;
  std::string left_over_;  // as it came; no more than one read
  RecvHook hook_;          // last: until now nothing may call us
};

}  // namespace vibes::net
