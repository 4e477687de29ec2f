// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "client/web_socket.hpp"

namespace vibes::client {

/// What to read; docs/protocol.md §2 and §8.
struct TailOptions {
  std::string from = "end";  // beginning|end|OFFSET|-N|RFC3339|CURSOR
  std::string until;         // end|OFFSET|RFC3339; empty: follow
  std::string types;         // comma-separated; empty: all
  std::optional<std::string> session;
  bool tree = false;  // and the sessions that were started in it
  std::string group;  // empty: no group
  std::optional<std::chrono::seconds> heartbeat;

  enum class Framing : std::uint8_t { batched, single };
  Framing framing = Framing::batched;
  /// After a lost connection: continue where we were, with backoff (limits::kReconnectFirst …
  /// kReconnectLast), for ever; or report it as an error.
  enum class OnLoss : std::uint8_t { reconnect, fail };
  OnLoss on_loss = OnLoss::reconnect;
  /// Whether a server that cannot be reached at the very first is waited for too.
  OnLoss on_first_failure = OnLoss::fail;
};

/// One event as the firehose gave it; all views live until the next call on the client.
struct TailEvent {
  Offset offset;
  std::string_view event_id;
  std::string_view time;   // RFC 3339, UTC, microseconds
  std::string_view event;  // the event's own bytes, as the producer sent them
};

// What next() gives.

struct Hello {  // first on each connection
  Uuid log_id;
  Offset first;
  Offset end;
  std::string server;
  bool again = false;  // after a reconnect
};
struct Events {
  std::span<const TailEvent> events;
};
struct PositionReport {  // caught up, or a heartbeat
  Offset offset;
  Offset end;
  bool caught_up = false;
};
struct GapReport {  // [from, to] cannot be served any more
  Offset from;
  Offset to;
  std::string reason;
};
struct Committed {  // the answer to commit() and reject(), durable by now
  Offset offset;    // of the group, which other members may hold back
};
struct Assigned {  // other members came or went: events may go back to `from`, and are not repeated
  std::uint64_t slots = 0;
  std::uint64_t members = 0;
  Offset from;
};
struct Ended {};  // `until` was reached; nothing follows
struct Lost {     // the connection ended; the client will try again
  Error error;
  std::chrono::milliseconds retry_in{0};
};

using TailMessage =
    std::variant<Hello, Events, PositionReport, GapReport, Committed, Assigned, Ended, Lost>;

/// A reader of /ws/firehose in its extended mode, which keeps its place: after a reconnect it goes
/// on with the event after the last one it handed out, by a self-checking cursor, so that nothing
/// is skipped or seen twice (a group resumes from its commit instead: what was not committed comes
/// again). One thread at a time, except wake().
class TailClient {
 public:
  TailClient(Target target, TailOptions options);
  TailClient(TailClient&&) noexcept;
  TailClient& operator=(TailClient&&) noexcept;
  ~TailClient();

  /// The next message; connects when needed. Errors: timed_out, woken (both: call again); and final
  /// ones: unauthorized, cursor_unusable, rejected (a bad value in the options), conflict
  /// (group_busy; only with OnLoss::fail), closed, bad_answer; with OnLoss::fail also
  /// cannot_connect and connection_lost.
  Result<TailMessage> next(Deadline deadline);

  /// Keeps the connection alive while the caller is busy, without taking a message. Ends early on
  /// wake(). A lost connection is no error here: next() will find out.
  void service(Deadline deadline);

  /// Groups: everything before `next` is done. Queued; the answer comes as Committed. Does nothing
  /// while not connected: the group then resumes from its older commit.
  Result<void> commit(Offset next, Deadline deadline);
  /// Groups: the event at `offset` could not be handled; it goes to the dead letters.
  Result<void> reject(Offset offset, std::string_view reason, unsigned attempts, Deadline deadline);

  /// Groups: the caller is alive and still busy with what it was handed, so that the server does
  /// not give it to others (after limits::kLeaseFor).
  Result<void> working(Deadline deadline);

  /// The cursor behind everything handed out so far, to be kept by whoever wants to resume; empty
  /// before the first Hello.
  [[nodiscard]] std::string cursor() const;
  /// The cursor behind `event`, which must be one of the last Events.
  [[nodiscard]] std::string cursor_after(const TailEvent& event) const;
  /// Of the last Hello.
  [[nodiscard]] const std::optional<Hello>& hello() const;

  /// Ends the connection politely.
  void close(Deadline deadline);
  void wake() noexcept;
  /// The connection below if there is one, for tests that stall or break it.
  [[nodiscard]] WebSocket* socket();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vibes::client
