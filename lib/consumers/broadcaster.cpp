// SPDX-License-Identifier: MIT
#include "consumers/broadcaster.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vibes::consumers {
namespace {

// Everything from burst.next on that one chunk holds, as a view of its bytes. True: nothing can be
// added.
bool take_view(Broadcaster::Burst& burst, Offset to, std::size_t bytes_max) {
  const Offset from = burst.next;
  burst.next = burst.chunk->fit(from, to, bytes_max);
  burst.bytes = burst.chunk->frames(from, burst.next);
  burst.events = burst.next - from;
  burst.last_end = burst.next;
  return true;
}

// What matches in one chunk, copied. True: the next one would exceed `bytes_max`.
bool take_copies(Broadcaster::Burst& burst, Offset to, const Broadcaster::Request& request,
                 std::string& scratch, std::size_t scratch_begin) {
  static const event::Filter kEverything;
  const event::Filter& filter = request.filter == nullptr ? kEverything : *request.filter;
  FrameChunk::Matcher matches(*burst.chunk, filter);
  const bool envelopes = request.shape == Broadcaster::Shape::envelopes;
  for (; burst.next < to; ++burst.next) {
    if (!matches(burst.next)) {
      continue;
    }
    const std::string_view text =
        envelopes ? burst.chunk->envelope_rest(burst.next) : burst.chunk->frame(burst.next);
    constexpr std::size_t kSeparatorBytes = 2;
    if (burst.events > 0 &&
        scratch.size() - scratch_begin + text.size() + kSeparatorBytes > request.bytes_max) {
      return true;
    }
    if (envelopes) {
      scratch += burst.events > 0 ? ",{" : "{";
    }
    scratch += text;
    ++burst.events;
    burst.last_end = burst.next + 1;
  }
  return false;
}

}  // namespace

void Broadcaster::broadcast_event(BroadcastPasskey /*key*/, const event::EventView& event) {
  VIBES_ASSERT(event.offset == ring_end());
  if (newest_ == nullptr || !newest_->has_room_for(event)) {
    start_chunk(event);
  }
  newest_->append(event);
  end_.store(event.offset.value() + 1, std::memory_order_release);
}

void Broadcaster::start_chunk(const event::EventView& first) {
  newest_ = std::make_shared<FrameChunk>(first);
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

std::optional<Broadcaster::Burst> Broadcaster::collect(const Request& request,
                                                       std::string& scratch) const {
  const std::size_t scratch_begin = scratch.size();
  const bool everything = request.filter == nullptr || request.filter->matches_everything();
  Burst burst;
  burst.next = request.from;
  for (;;) {
    const Offset end = std::min(ring_end(), request.until.value_or(ring_end()));
    if (burst.next >= end) {
      break;
    }
    std::shared_ptr<const FrameChunk> chunk = find(burst.next);
    if (chunk == nullptr) {
      // Behind the ring, or overtaken by its end while copying: what was collected stays good.
      if (burst.next == request.from) {
        return std::nullopt;
      }
      break;
    }
    const Offset to = std::min(chunk->end(), end);
    if (burst.next >= to) {
      break;  // the ring was restarted in between
    }
    burst.chunk = std::move(chunk);
    const Offset before = burst.next;
    const bool view = everything && request.shape == Shape::frames;
    const bool full = view ? take_view(burst, to, request.bytes_max)
                           : take_copies(burst, to, request, scratch, scratch_begin);
    if (burst.next > before) {
      burst.cursor_check = burst.chunk->cursor_check(burst.next - 1);
    }
    if (full) {
      break;
    }
  }
  if (scratch.size() > scratch_begin) {
    burst.bytes = std::string_view(scratch).substr(scratch_begin);
  }
  return burst;
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
