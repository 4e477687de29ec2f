// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "client/web_socket.hpp"

namespace vibes::client {

struct AppendOptions {
  std::string minimum_ack;  // memory, os, fsync, replicated; empty: whatever the log gives
  bool want_ids = false;    // ?ids=1
};

/// An ack of one or more messages: `events` sums over them.
struct Ack {
  std::size_t messages = 0;
  std::uint64_t events = 0;
  /// The server keeps the events for an engine that is away: they have ids and no offsets yet.
  bool pending = false;
  std::optional<Offset> first_offset;  // unless pending
  /// Where the server told it. Only if it is first_offset + events - 1 is the place of each event
  /// known: other producers' events may lie between those of several messages.
  std::optional<Offset> last_offset;
  std::uint64_t duplicates = 0;
  std::string durability;
  std::vector<Uuid> event_ids;  // with want_ids, or pending
};

/// The refusal of exactly one message; the connection goes on.
struct Nack {
  std::string code;      // as on the wire: "invalid_event"
  std::size_t line = 0;  // of the message, from 1; 0 if the server named none
  std::string message;
  std::string sent;  // the message that was refused
};

using AppendAnswer = std::variant<Ack, Nack>;

/// A producer on /ws/append: sends messages (one event, or several as NDJSON lines, which are one
/// atomic batch), any number before the first answer, and gets the answers in the order of sending.
/// It keeps what is not answered, at most limits::kUnackedBytesPerConnection, so that reconnect()
/// can send it again; for that to be idempotent the events must carry an `event_id`. One thread at
/// a time, except wake().
class AppendClient {
 public:
  static Result<AppendClient> connect(const Target& target, const AppendOptions& options,
                                      Deadline deadline);

  /// Takes one message. Waits for room if too much is unanswered or unsent: then answers that
  /// arrive meanwhile are kept for receive(). Errors: timed_out (not taken), woken,
  /// connection_lost, closed.
  Result<void> send(std::string_view message, Deadline deadline);

  /// The next answer. With nothing unanswered it waits all the same. Errors: as
  /// WebSocket::receive().
  Result<AppendAnswer> receive(Deadline deadline);

  /// A new connection in place of a lost one; everything unanswered is sent again, in order.
  Result<void> reconnect(Deadline deadline);

  [[nodiscard]] std::size_t unanswered_messages() const { return unanswered_.size(); }
  [[nodiscard]] std::size_t unanswered_bytes() const { return unanswered_bytes_; }

  Result<void> close(Deadline deadline) { return socket_.close(deadline); }
  void wake() noexcept { socket_.wake(); }
  /// The connection below, for tests that stall or break it.
  [[nodiscard]] WebSocket& socket() { return socket_; }

 private:
  struct Unanswered {
    std::string text;
    std::uint64_t events = 0;  // not yet covered by an ack
  };
  AppendClient(Target target, AppendOptions options, WebSocket socket);
  Result<AppendAnswer> take_answer(std::string_view frame);
  Result<AppendAnswer> settle(Ack ack);
  void drop_front();

  Target target_;
  AppendOptions options_;
  WebSocket socket_;
  std::deque<Unanswered> unanswered_;
  std::size_t unanswered_bytes_ = 0;
  std::deque<AppendAnswer> early_;  // answers that came while send() waited
};

}  // namespace vibes::client
