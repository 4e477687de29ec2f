// SPDX-License-Identifier: MIT
#include "consumers/past_frames.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace vibes::consumers {
namespace {

// What one chunk costs beside its bytes: what it knows of each event and of each kind.
constexpr std::size_t kBookkeepingBytes = sizeof(FrameChunk) + FrameChunk::kEventsMax * 20;

std::size_t cost(const FrameChunk& chunk) { return chunk.capacity_bytes() + kBookkeepingBytes; }

}  // namespace

std::optional<Burst> PastFrames::collect(const BurstRequest& request, std::string& scratch) {
  BurstMaker burst(request, scratch);
  while (!request.until || burst.next() < *request.until) {
    const std::shared_ptr<const FrameChunk> chunk = find(burst.next());
    if (chunk == nullptr) {
      if (!burst.has_moved()) {
        return std::nullopt;
      }
      break;
    }
    const Offset to = std::min(chunk->end(), request.until.value_or(chunk->end()));
    if (burst.take(chunk, to)) {
      break;
    }
  }
  return burst.finish();
}

std::shared_ptr<const FrameChunk> PastFrames::keep(std::span<const event::EventView> events,
                                                   std::size_t clients) {
  VIBES_ASSERT(!events.empty());
  const std::optional<Offset> until = next_kept(events.front().offset);
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const event::EventView& event : events) {
    const std::size_t needed = FrameChunk::bytes_needed(event);
    if (count > 0 &&
        (bytes + needed > limits::kWriteChunkBytes || (until && event.offset >= *until))) {
      break;
    }
    bytes += needed;
    ++count;
  }
  // A short one would leave most of its pages empty.
  const bool in_pages =
      clients >= FrameMemory::kPagesFromClients && bytes > PageStore::kBlockBytes / 2;
  auto chunk = std::make_shared<FrameChunk>(events.front().offset, bytes,
                                            in_pages ? pages_.take() : PageStore::Block());
  for (const event::EventView& event : events.first(count)) {
    if (!chunk->has_room_for(event)) {
      break;  // of too many kinds, or too many
    }
    chunk->append(event);
  }
  insert(chunk);
  return chunk;
}

std::size_t PastFrames::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

std::shared_ptr<const FrameChunk> PastFrames::find(Offset offset) {
  const MutexLock lock(mutex_);
  const auto after = chunks_.upper_bound(offset);
  if (after == chunks_.begin()) {
    return nullptr;
  }
  Kept& kept = std::prev(after)->second;
  if (offset >= kept.chunk->end()) {
    return nullptr;
  }
  kept.used = ++uses_;
  return kept.chunk;
}

std::optional<Offset> PastFrames::next_kept(Offset from) const {
  const MutexLock lock(mutex_);
  const auto after = chunks_.upper_bound(from);
  return after == chunks_.end() ? std::nullopt : std::optional(after->first);
}

// Another thread may have kept the same meanwhile: then that one stays.
void PastFrames::insert(std::shared_ptr<const FrameChunk> chunk) {
  const MutexLock lock(mutex_);
  const auto after = chunks_.upper_bound(chunk->first());
  const bool overlaps =
      (after != chunks_.begin() && std::prev(after)->second.chunk->end() > chunk->first()) ||
      (after != chunks_.end() && after->first < chunk->end());
  if (overlaps || cost(*chunk) > bytes_max_) {
    return;
  }
  bytes_ += cost(*chunk);
  while (bytes_ > bytes_max_) {
    drop_oldest();
  }
  const Offset first = chunk->first();
  chunks_.emplace(first, Kept{std::move(chunk), ++uses_});
}

void PastFrames::drop_oldest() {
  const auto oldest =
      std::ranges::min_element(chunks_, {}, [](const auto& entry) { return entry.second.used; });
  bytes_ -= cost(*oldest->second.chunk);
  chunks_.erase(oldest);
}

}  // namespace vibes::consumers
