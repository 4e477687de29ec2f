// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "consumers/broadcaster.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

/// The consumer that feeds the firehose: it follows the log from its end on and broadcasts every
/// event. It has no thread of its own. The wake-up that brings a net thread its acks also lets it
/// call pump(), which saves a hop between threads on the way from append to firehose.
class WebsocketConsumer {
 public:
  WebsocketConsumer(eventlog::EventLog& log, Broadcaster& broadcaster);

  /// Broadcasts what the log has beyond position(). Whoever comes first does the work; a second
  /// thread waits for it and then finds nothing left. Cheap where there is nothing to do. Returns
  /// position(). On a read error the position stays, the state turns to retrying, and the next call
  /// tries again.
  Offset pump();

  /// The next offset to broadcast. Lag is log.end() - position().
  [[nodiscard]] Offset position() const { return Offset(position_.load()); }
  /// Empty while running; what failed, while retrying.
  [[nodiscard]] std::string problem() const;

 private:
  eventlog::EventLog& log_;
  Broadcaster& broadcaster_;
  std::atomic<std::uint64_t> position_;
  mutable Mutex pumping_;
  std::unique_ptr<eventlog::Reader> reader_ VIBES_GUARDED_BY(pumping_);
  std::string problem_ VIBES_GUARDED_BY(pumping_);
};

}  // namespace vibes::consumers
