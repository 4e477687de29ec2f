// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "event/event.hpp"
#include "eventlog/durability.hpp"

namespace vibes::eventlog::remote {

/// An append as a stream keeps it, or several that waited for each other, in one message: events
/// that lie next to each other, or are not there at all. Each has its event_id; there is at least
/// one.
struct RemoteBatch {
  Offset first;    // of its first event
  Timestamp time;  // when they were recorded
  std::vector<event::NewEvent> events;

  [[nodiscard]] Offset end() const { return first + events.size(); }
};

/// What a stream holds at a place.
struct RemoteMessage {
  std::uint64_t sequence = 0;
  std::optional<RemoteBatch> batch;  // nothing: a message that is none of ours
  std::string foreign;               // what is wrong with it, where it is none of ours
  bool asks_for_turn = false;        // another writer's ask_for_turn(), and nothing else
};

struct StreamFacts {
  /// The same for every process that sees this stream, and for no other stream, also not for one
  /// of the same name that is made after it was removed.
  Uuid log_id;
  /// Sequences count messages from 1 on. Where the stream is empty `first` is `last + 1`.
  std::uint64_t first_sequence = 1;
  std::uint64_t last_sequence = 0;
  Durability durability = Durability::os;  // of what it has acknowledged
  /// The payloads of a message together, and with each event of several the overhead.
  std::size_t message_bytes_max = 0;
  std::size_t event_overhead_bytes = 0;
  std::uint64_t bytes = 0;  // that it occupies
};

/// Where the groups of a stream stand, kept beside it, for all who use it.
class RemoteGroups {
 public:
  RemoteGroups() = default;
  RemoteGroups(const RemoteGroups&) = delete;
  RemoteGroups& operator=(const RemoteGroups&) = delete;
  virtual ~RemoteGroups() = default;

  using Offsets = std::map<std::string, Offset, std::less<>>;
  /// Waits for the engine. Errors: Errc::unreachable.
  virtual Result<Offsets> load() = 0;
  virtual Result<void> store(std::string_view group, Offset next) = 0;
  virtual Result<void> remove(std::string_view group) = 0;

  /// How long a group is held without being asked for again.
  static constexpr std::chrono::seconds kHeldFor{15};
  /// Holds the group for `owner` for kHeldFor from now, unless another owner holds it. Returns that
  /// one's name, or nothing: it is ours. Errors: Errc::unreachable; then nothing is known.
  virtual Result<std::optional<std::string>> hold(std::string_view group,
                                                  std::string_view owner) = 0;
  virtual Result<void> let_go(std::string_view group, std::string_view owner) = 0;
};

/// An ordered stream of messages in an engine that is not this process: the seam behind which
/// NATS and Iggy are. It decides the order; what it decided is copied into a log on this machine,
/// from which everyone reads (RemoteEventLog).
///
/// publish() belongs to one thread, follow() to another; the rest is thread-safe.
class RemoteStream {
 public:
  RemoteStream() = default;
  RemoteStream(const RemoteStream&) = delete;
  RemoteStream& operator=(const RemoteStream&) = delete;
  virtual ~RemoteStream() = default;

  /// Connects, makes the stream if it is missing, and checks it. Waits up to `within`. To be called
  /// once, before everything else. Errors: Errc::unreachable, unauthorized, other_settings (the
  /// context names the difference).
  virtual Result<void> open(std::chrono::milliseconds within) = 0;

  /// Asks the engine. Errors: Errc::unreachable.
  virtual Result<StreamFacts> facts() = 0;

  /// What became of a publish: the sequence that the engine gave it. Errors: Errc::not_next
  /// (another message came first, this one is not in the stream), Errc::indeterminate (it may be in
  /// the stream, or come into it later), Errc::unreachable (it is not), or why the engine refused.
  using Published = std::function<void(Result<std::uint64_t> sequence)>;
  /// Offers a batch to the engine, which must take it only as the message behind
  /// `last_sequence`, if it can promise that. `done` is called exactly once, on any thread, or not
  /// at all if an error is returned. Batches are offered in order and before the answer to those
  /// before is there.
  virtual Result<void> publish(const RemoteBatch& batch, std::uint64_t last_sequence,
                               Published done) = 0;

  /// Leaves a message that is no event and asks the other writers to pause for a moment. For a
  /// writer that keeps losing the race. Errors do not matter: it tries again anyway.
  virtual void ask_for_turn() {}

  /// The messages behind `sequence`, in order, as soon as there is one; none after `wait`. The
  /// next call goes on behind the last of them. A message that is gone is left out. What is
  /// returned is as durable as facts() says. Errors: Errc::unreachable.
  virtual Result<std::vector<RemoteMessage>> follow(std::uint64_t sequence,
                                                    std::chrono::milliseconds wait,
                                                    std::stop_token stop) = 0;

  /// Whether the engine can be reached as far as is known.
  [[nodiscard]] virtual bool is_connected() const = 0;
  /// Called from any thread whenever that changes. To be set before open().
  virtual void on_connection_changed(std::function<void()> listener) = 0;

  [[nodiscard]] virtual RemoteGroups& groups() = 0;
  /// For people: without secrets.
  [[nodiscard]] virtual std::string url() const = 0;

  /// No callback runs after it returned. Publishes without an answer get Errc::indeterminate.
  virtual void close() = 0;
};

}  // namespace vibes::eventlog::remote
