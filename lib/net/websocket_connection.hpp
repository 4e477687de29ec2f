// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/intake.hpp"
#include "net/socket_connection.hpp"

namespace vibes::net {

/// A WebSocket: puts messages together and keeps their limits, and writes what its endpoint sends.
class WebsocketConnection final : public SocketConnection, private MessageSink {
 public:
  explicit WebsocketConnection(Peer& peer);

  void write_text(std::string_view text) override;
  void write_frames(std::string_view frames) override;
  void write_pages(std::string_view frames, FilePlace place) override;
  void close(CloseCode code, std::string_view reason) override;
  void pause_reading() override;
  void resume_reading() override;
  void write_now() override;

  /// Before open(). False: the peer has not waited for our answer to its upgrade.
  [[nodiscard]] bool watch_frames(std::size_t message_bytes_max);
  /// What was left over when reading was paused may be read now, unless it is paused again.
  [[nodiscard]] bool has_left_over();

  // What libwebsockets tells us; -1 hangs up.
  int on_writable();
  void on_pong() { heard(); }
  /// The peer has begun to close, with this payload of its frame. libwebsockets answers it.
  int on_peer_closes(std::string_view payload);

 protected:
  void ask_for_writable() override;
  void ping() override;
  void give_up() override;
  [[nodiscard]] bool listens() const override { return !paused_; }

 private:
  void on_piece(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) override;
  void on_frames() override;
  [[nodiscard]] bool wants_more() const override { return !paused_; }
  void watch_message();
  void collect(std::string_view piece, bool frame_ends, bool message_ends);
  void hand_over_text(std::string_view text);
  int send_close();

  std::string partial_;  // a message that has not come to its end
  bool in_message_ = false;
  std::size_t fragments_ = 0;
  bool paused_ = false;
  Timer message_deadline_;
  std::uint64_t message_watched_ = 0;  // the one that message_deadline_ is for
  bool ping_wanted_ = false;
  bool write_failed_ = false;
  CloseCode close_code_ = CloseCode::normal;
  std::string close_reason_;
  bool close_wanted_ = false;
};

}  // namespace vibes::net
