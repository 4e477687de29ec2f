// SPDX-License-Identifier: MIT
#include "eventlog/memory/event_store.hpp"

#include <algorithm>
#include <iterator>

namespace vibes::eventlog {

std::uint64_t StoredEvent::bytes() const {
  constexpr std::uint64_t kAround = sizeof(StoredEvent) + 2 * sizeof(StoredEventPtr);
  return kAround + type.size() + session.size() + payload.size();
}

event::EventView view_of(Offset offset, const StoredEvent& event) {
  return {offset, event.event_id, event.time, event.type, event.session, event.payload};
}

Offset EventStore::first() const {
  const MutexLock lock(mutex_);
  return first_;
}

Offset EventStore::end() const {
  const MutexLock lock(mutex_);
  return first_ + events_.size();
}

std::uint64_t EventStore::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

void EventStore::append(std::vector<StoredEventPtr> events) {
  const MutexLock lock(mutex_);
  for (StoredEventPtr& event : events) {
    bytes_ += event->bytes();
    events_.push_back(std::move(event));
  }
}

void EventStore::drop_front() {
  bytes_ -= events_.front()->bytes();
  events_.pop_front();
  ++first_;
}

void EventStore::drop_above(std::uint64_t bytes_max) {
  const MutexLock lock(mutex_);
  while (bytes_ > bytes_max) {
    drop_front();
  }
}

void EventStore::drop_before(Timestamp time, Offset floor) {
  const MutexLock lock(mutex_);
  while (!events_.empty() && first_ < floor && events_.front()->time < time) {
    drop_front();
  }
}

std::vector<StoredEventPtr> EventStore::copy(Offset from, Offset to, std::size_t count) const {
  const MutexLock lock(mutex_);
  const Offset stop = std::min(to, first_ + events_.size());
  if (from < first_ || from >= stop) {
    return {};
  }
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(from - first_);
  const auto taken = std::min<std::uint64_t>(count, stop - from);
  return {begin, begin + static_cast<std::ptrdiff_t>(taken)};
}

Offset EventStore::find_time(Timestamp time) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::lower_bound(
      events_, time, {}, [](const StoredEventPtr& event) { return event->time; });
  return first_ + static_cast<std::uint64_t>(std::distance(events_.begin(), found));
}

std::optional<Offset> EventStore::find_id(const Uuid& event_id) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(events_, event_id,
                                       [](const StoredEventPtr& event) { return event->event_id; });
  if (found == events_.end()) {
    return std::nullopt;
  }
  return first_ + static_cast<std::uint64_t>(std::distance(events_.begin(), found));
}

}  // namespace vibes::eventlog
