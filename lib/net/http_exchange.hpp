// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/body_pace.hpp"
#include "net/http.hpp"
#include "net/router.hpp"
#include "net/socket_connection.hpp"

namespace vibes::net {

/// The one request of a connection and its answer: collects the body, calls the handler, writes
/// what it answers, at once or later, whole or as a stream.
///
/// A connection serves one request. libwebsockets 4.1.6 parses a second one that is in its buffer
/// already wrongly: it takes the headers for the body and may never come back (lws_http_action()).
/// So every answer says "Connection: close".
class HttpExchange {
 public:
  HttpExchange(Peer& peer, RequestHead head);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  /// Answers without asking a handler.
  void refuse(const Response& response) { answer(response); }
  /// The request may be served by `match`: waits for its body, if it has one.
  void accept(const Router::Match& match);

  // What libwebsockets tells us; -1 hangs up.
  int on_body(std::string_view piece);
  void on_body_complete();
  /// False: the answer has left, or never will.
  bool on_writable();

  void on_log_moved();
  void write_now();
  void on_stop();
  [[nodiscard]] bool is_lost() const;

  // What the responder wants; see Responder.
  void answer(const Response& response);
  void stream(std::string_view content_type, const EndpointMaker& maker);

 private:
  class Stream;
  void dispatch();
  void check_pace();
  void give_up();
  void wait_for_answer();
  void resume();
  bool write_answer();

  Peer& peer_;
  RequestHead head_;
  const HttpRoute* route_ = nullptr;
  std::vector<std::string> captures_;
  std::string body_;
  std::size_t body_bytes_expected_ = 0;
  bool receiving_ = false;
  bool paused_ = false;
  Timer deadline_;
  BodyPace pace_;
  Timer pace_timer_;
  std::shared_ptr<Responder::Target> target_;
  bool answered_ = false;
  std::string answer_;  // of a stream only its head
  std::size_t written_bytes_ = 0;
  std::unique_ptr<Stream> stream_;
};

}  // namespace vibes::net
