// SPDX-License-Identifier: MIT
#pragma once

#include "consumers/filtered_frames.hpp"
#include "consumers/past_frames.hpp"
#include "net/append_socket.hpp"
#include "net/background.hpp"
#include "net/firehose.hpp"
#include "net/router.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// Every route of the server (docs/protocol.md) and what serves them. Outlives the server.
class Routes {
 public:
  explicit Routes(Services& services);
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  void add_to(Router& router);

 private:
  void add_status_routes(Router& router);
  void add_event_routes(Router& router);
  void add_consumer_routes(Router& router);
  void add_session_routes(Router& router);
  void add_push_routes(Router& router);
  void in_background(const Responder& responder, std::function<Response()> make);

  Services& services_;
  consumers::PastFrames past_;
  consumers::FilteredFrames filtered_;
  FirehoseContext firehose_;
  AppendContext append_;
  Background background_;
};

}  // namespace vibes::net
