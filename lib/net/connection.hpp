// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/page_store.hpp"

namespace vibes::net {

/// WebSocket close codes (RFC 6455 §7.4). 4000–4499 ask the client to reconnect, 4500–4999 not to.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  invalid_payload = 1007,
  policy = 1008,
  too_big = 1009,
  try_later = 1013,
  too_slow = 4408,
  group_busy = 4409,
  lease_expired = 4410,
  internal = 4500,
  position_unusable = 4503,
};

/// The half of a WebSocket connection that the server core gives to an endpoint. It belongs to one
/// net thread: every method but post() is called on that thread only. It outlives its endpoint.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Asks for one call of Endpoint::on_writable() as soon as the socket takes more.
  virtual void request_write() = 0;
  /// Sends one text message. Only inside on_writable(), at most once per call (any of the three).
  virtual void write_text(std::string_view text) = 0;
  /// Sends complete, unmasked frames as they are: one write for many events. The same rule.
  virtual void write_frames(std::string_view frames) = 0;
  /// The same for frames that are in a PageStore's file, at `place`: of many the pages themselves
  /// are sent, where the connection can do that.
  virtual void write_pages(std::string_view frames, FilePlace /*place*/) { write_frames(frames); }
  /// Sends a close frame once what was written has left, then ends the connection. on_writable() is
  /// not called any more.
  virtual void close(CloseCode code, std::string_view reason) = 0;

  /// Back pressure: stops and resumes taking bytes from the socket.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// One timer per connection: Endpoint::on_timer() after `delay`, replacing the earlier setting;
  /// nullopt stops it.
  virtual void set_timer(std::optional<std::chrono::milliseconds> delay) = 0;

  /// Runs `task` on this connection's net thread, soon, unless the connection has ended by then;
  /// wakes the thread. The only method that may be called from any thread, also after the
  /// connection has ended (then it does nothing). Returned by value so that it can be kept: it
  /// holds no reference to the connection.
  using Poster = std::function<void(std::function<void()> task)>;
  [[nodiscard]] virtual Poster poster() = 0;
  /// The same without waking the thread, for work that is followed by a wake-up anyway: the acks of
  /// a group commit, which the commit's own signal delivers in one go.
  [[nodiscard]] virtual Poster quiet_poster() = 0;
};

/// What one WebSocket route does with a connection: made when the upgrade is accepted, destroyed
/// when the connection has ended. All methods are called on the connection's net thread and must
/// not block.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  virtual ~Endpoint() = default;

  virtual void on_open() {}
  /// A complete text message, at most the route's limit, valid UTF-8.
  virtual void on_message(std::string_view text) = 0;
  /// What was read of the socket in this turn of the net thread has been handed over: the time to
  /// pass on what came together.
  virtual void on_input_end() {}
  virtual void on_writable() = 0;
  virtual void on_timer() {}
  /// The log's end moved, the websocket consumer has pumped: clients of the firehose look for new
  /// frames.
  virtual void on_log_moved() {}
  /// The server is stopping: finish what is acknowledged, then close with going_away.
  virtual void on_stop() = 0;
  /// The connection has ended, whoever ended it. No method is called afterwards.
  virtual void on_close() {}
};

/// The query of a request, percent-decoded.
class Query {
 public:
  virtual ~Query() = default;
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view name) const = 0;
};

}  // namespace vibes::net
