// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "consumers/broadcaster.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

/// The consumer that feeds the firehose: it follows the log from its end on and broadcasts every
/// event. It has no thread of its own. The wake-up that brings a net thread its acks also lets it
/// call pump(), which saves a hop between threads on the way from append to firehose. Thread-safe.
class WebsocketConsumer {
 public:
  /// Both must outlive the consumer, and it is the only one to write to `broadcaster`.
  WebsocketConsumer(eventlog::EventLog& log, Broadcaster& broadcaster);

  /// Broadcasts what the log has beyond position(). Whoever comes first does the work; a second
  /// thread waits for it and then finds nothing left. Cheap where there is nothing to do. Where no
  /// client is attached nothing is read or encoded, the position moves all the same. Returns
  /// position(). On a read error the position stays, problem() says why, and the next call tries
  /// again.
  Offset pump();

  /// The next offset to broadcast. Lag is log.end() - position().
  [[nodiscard]] Offset position() const { return Offset(position_.load()); }
  /// Empty while running; what failed, while retrying.
  [[nodiscard]] std::string problem() const;

 private:
  void skip_to(Offset end) VIBES_REQUIRES(pumping_);
  Result<void> broadcast_up_to(Offset end) VIBES_REQUIRES(pumping_);

  eventlog::EventLog& log_;
  Broadcaster& broadcaster_;
  std::atomic<std::uint64_t> position_;
  mutable Mutex pumping_;
  std::unique_ptr<eventlog::Reader> reader_ VIBES_GUARDED_BY(pumping_);
  std::string problem_ VIBES_GUARDED_BY(pumping_);
};

}  // namespace vibes::consumers
