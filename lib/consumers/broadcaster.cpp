// SPDX-License-Identifier: MIT
#include "consumers/broadcaster.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vibes::consumers {

void Broadcaster::broadcast_event(BroadcastPasskey /*key*/, const event::EventView& event) {
  VIBES_ASSERT(event.offset == ring_end());
  if (newest_ == nullptr || !newest_->has_room_for(event)) {
    start_chunk(event);
  }
  newest_->append(event);
  end_.store(event.offset.value() + 1, std::memory_order_release);
}

void Broadcaster::start_chunk(const event::EventView& first) {
  const bool crowd = clients() >= FrameMemory::kPagesFromClients;
  newest_ = std::make_shared<FrameChunk>(first, crowd ? pages_.take() : PageStore::Block());
  constexpr std::size_t kChunksMax = limits::kRingEventsMax / FrameChunk::kEventsMax;
  const MutexLock lock(mutex_);
  chunks_.push_back(newest_);
  ring_bytes_ += newest_->capacity_bytes();
  while (chunks_.size() > 1 &&
         (ring_bytes_ > limits::kRingBytesMax || chunks_.size() > kChunksMax)) {
    ring_bytes_ -= chunks_.front()->capacity_bytes();
    chunks_.pop_front();
  }
}

void Broadcaster::restart_at(BroadcastPasskey /*key*/, Offset next) {
  const MutexLock lock(mutex_);
  chunks_.clear();
  ring_bytes_ = 0;
  newest_ = nullptr;
  end_.store(next.value(), std::memory_order_release);
}

Offset Broadcaster::ring_first() const {
  const MutexLock lock(mutex_);
  return chunks_.empty() ? ring_end() : chunks_.front()->first();
}

std::size_t Broadcaster::ring_bytes() const {
  const MutexLock lock(mutex_);
  return ring_bytes_;
}

std::shared_ptr<const FrameChunk> Broadcaster::find(Offset offset) const {
  const MutexLock lock(mutex_);
  if (chunks_.empty() || offset < chunks_.front()->first()) {
    return nullptr;
  }
  if (offset >= chunks_.back()->first()) {  // where clients are that keep up
    return chunks_.back();
  }
  const auto after = std::upper_bound(
      chunks_.begin(), chunks_.end(), offset,
      [](Offset wanted, const ChunkPtr& chunk) { return wanted < chunk->first(); });
  return *std::prev(after);
}

std::optional<Burst> Broadcaster::collect(const Request& request, std::string& scratch) const {
  BurstMaker burst(request, scratch);
  for (;;) {
    const Offset end = std::min(ring_end(), request.until.value_or(ring_end()));
    if (burst.next() >= end) {
      break;
    }
    const std::shared_ptr<const FrameChunk> chunk = find(burst.next());
    if (chunk == nullptr) {
      // Behind the ring, or overtaken by its end while copying: what was collected stays good.
      if (!burst.has_moved()) {
        return std::nullopt;
      }
      break;
    }
    const Offset to = std::min(chunk->end(), end);
    if (burst.next() >= to) {
      break;  // the ring was restarted in between
    }
    if (burst.take(chunk, to)) {
      break;
    }
  }
  return burst.finish();
}

std::optional<Offset> Broadcaster::next_match(Offset from, const event::Filter& filter) const {
  Offset at = from;
  while (at < ring_end()) {
    const std::shared_ptr<const FrameChunk> chunk = find(at);
    if (chunk == nullptr) {
      return std::nullopt;
    }
    const Offset to = chunk->end();
    if (at >= to) {
      break;
    }
    FrameChunk::Matcher matches(*chunk, filter);
    for (; at < to; ++at) {
      if (matches(at)) {
        return at;
      }
    }
  }
  return at;
}

}  // namespace vibes::consumers
