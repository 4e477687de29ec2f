// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "net/router.hpp"
#include "net/socket_connection.hpp"

namespace vibes::net {

/// One request and its answer on a connection: collects the body, calls the handler, writes what it
/// answers, at once or later, whole or as a stream.
class HttpExchange {
 public:
  HttpExchange(Peer& peer, RequestHead head);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  /// Answers without asking a handler and, if a body may be on its way that nobody wants, ends the
  /// connection.
  void refuse(Response response);
  /// The request may be served by `match`: waits for its body, if it has one.
  void accept(const Router::Match& match);

  // What libwebsockets tells us; -1 hangs up.
  int on_body(std::string_view piece);
  void on_body_complete();
  /// Nothing: the exchange goes on. Otherwise it is over; true: another request may follow.
  std::optional<bool> on_writable();

  void on_log_moved();
  void on_stop();

  // What the responder wants; see Responder.
  void answer(Response response);
  void stream(std::string_view content_type, const EndpointMaker& maker);

 private:
  class Stream;
  void dispatch();
  void wait_for_answer();
  void resume();

  Peer& peer_;
  RequestHead head_;
  const HttpRoute* route_ = nullptr;
  std::vector<std::string> captures_;
  std::string body_;
  std::size_t body_bytes_expected_ = 0;
  bool receiving_ = false;
  bool end_connection_ = false;
  bool paused_ = false;
  Timer deadline_;
  std::shared_ptr<Responder::Target> target_;
  std::optional<std::string> answer_;  // ready to be written
  std::unique_ptr<Stream> stream_;
};

}  // namespace vibes::net
