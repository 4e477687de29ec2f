// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "event/event.hpp"

namespace vibes::eventlog {

/// One event in memory. Never changes; shared because a reader's views outlive its dropping.
struct StoredEvent {
  Uuid event_id;
  Timestamp time;
  std::string type;
  std::string session;
  std::string payload;

  [[nodiscard]] std::uint64_t bytes() const;
};
using StoredEventPtr = std::shared_ptr<const StoredEvent>;

event::EventView view_of(Offset offset, const StoredEvent& event);

/// The events of a memory log: added at the end, dropped at the front. Thread-safe.
class EventStore {
 public:
  explicit EventStore(Offset first = Offset{}) : first_(first) {}

  [[nodiscard]] Offset first() const;
  [[nodiscard]] Offset end() const;  // of what is stored, which may be ahead of what is published
  [[nodiscard]] std::uint64_t bytes() const;

  void append(std::vector<StoredEventPtr> events);
  /// Drops the oldest events until at most `bytes_max` are left.
  void drop_above(std::uint64_t bytes_max);
  /// Drops events from before `time`, none at or after `floor`.
  void drop_before(Timestamp time, Offset floor);

  /// Up to `count` events of [from, to), the first of them at `from`; none if `from` is no longer
  /// kept.
  [[nodiscard]] std::vector<StoredEventPtr> copy(Offset from, Offset to, std::size_t count) const;
  /// The first event at or after `time`, or end().
  [[nodiscard]] Offset find_time(Timestamp time) const;
  [[nodiscard]] std::optional<Offset> find_id(const Uuid& event_id) const;

 private:
  void drop_front() VIBES_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<StoredEventPtr> events_ VIBES_GUARDED_BY(mutex_);
  Offset first_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::eventlog
