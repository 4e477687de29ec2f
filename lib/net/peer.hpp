// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "net/host_origin.hpp"
#include "net/http.hpp"
#include "net/intake.hpp"
#include "net/lws_fwd.hpp"
#include "net/timer_queue.hpp"

namespace vibes::net {

class HttpExchange;
class Loop;
class WebsocketConnection;

/// One accepted socket on its net thread: one HTTP request, or the one that begins a WebSocket.
/// Made when the socket is adopted, gone when libwebsockets lets go of it.
class Peer {
 public:
  using Place = std::list<std::unique_ptr<Peer>>::iterator;

  /// `fd` is the socket, whose owner libwebsockets is about to become.
  Peer(Loop& loop, Transport transport, int fd);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] lws* wsi() { return wsi_; }
  void set_wsi(lws* wsi) { wsi_ = wsi; }
  void set_place(Place place) { place_ = place; }
  [[nodiscard]] Place place() const { return place_; }
  [[nodiscard]] Intake& intake() { return intake_; }

  // What libwebsockets tells us. An int is what its callback returns: 0 goes on, -1 hangs up.
  int on_confirm_upgrade();
  int on_filter_websocket() const;
  int on_established();
  int on_websocket_writable();
  void on_pong();
  int on_peer_closes(std::string_view payload);
  void on_closed();
  int on_http();
  int on_http_body(std::string_view piece);
  int on_http_body_complete();
  int on_http_writable();

  // What the loop tells us.
  void on_log_moved();
  void on_input_end();
  [[nodiscard]] bool has_left_over() const;
  void write_now();
  void on_stop();

  /// Hangs up as soon as we are back in the event loop.
  void hang_up();
  /// The request has been checked: from now on the connection is not one of the unauthenticated.
  void set_authenticated();
  /// Whether other threads had something to tell it for which there was no room.
  [[nodiscard]] bool is_lost() const;
  /// Whether it has been here for longer than `since` without showing a token.
  [[nodiscard]] bool is_stranger(std::chrono::nanoseconds since) const;

  /// Of the loop, for its lists.
  struct Noted {
    bool input = false;
    bool write = false;
    bool left_over = false;
  };
  [[nodiscard]] Noted& noted() { return noted_; }

 private:
  struct Upgrade;
  [[nodiscard]] std::optional<Response> refuse(const RequestHead& head, bool needs_token);
  std::optional<Response> plan_upgrade(const RequestHead& head);
  int refuse_upgrade(const Response& response);
  bool linger();
  void drain();

  Loop& loop_;
  Noted noted_;
  const Transport transport_;
  Intake intake_;
  lws* wsi_ = nullptr;
  Place place_;
  bool counted_unauthenticated_ = false;
  std::int64_t accepted_ns_ = 0;
  Timer header_deadline_;
  bool body_unread_ = false;
  Timer linger_timer_;
  unsigned linger_ticks_ = 0;
  std::unique_ptr<Upgrade> upgrade_;
  std::unique_ptr<HttpExchange> exchange_;
  std::unique_ptr<WebsocketConnection> websocket_;
};

}  // namespace vibes::net
