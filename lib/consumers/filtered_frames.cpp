// SPDX-License-Identifier: MIT
#include "consumers/filtered_frames.hpp"

#include <algorithm>
#include <utility>

namespace vibes::consumers {
namespace {

// Below it a burst that there is more to is better collected anew.
constexpr std::size_t kWorthSending = limits::kWriteChunkBytes / 2;

}  // namespace

bool FilteredFrames::serves(const BurstRequest& request) {
  return request.shape == BurstShape::frames && !request.until &&
         request.bytes_max == limits::kWriteChunkBytes && request.filter != nullptr &&
         !request.filter->matches_everything();
}

std::optional<Burst> FilteredFrames::find(const BurstRequest& request, Offset end) {
  const MutexLock lock(mutex_);
  Entry* const entry = entry_of(request);
  if (entry == nullptr || !entry->burst ||
      (entry->burst->next < end && entry->burst->bytes.size() < kWorthSending)) {
    return std::nullopt;
  }
  entry->used = ++uses_;
  return entry->burst;
}

void FilteredFrames::note(const BurstRequest& request, Burst& burst) {
  const MutexLock lock(mutex_);
  Entry* entry = entry_of(request);
  if (entry == nullptr) {
    const bool full = entries_.size() >= limits::kFilteredBurstsMax;
    entry = full ? &oldest() : &entries_.emplace_back();
    *entry = {request.from, *request.filter, std::nullopt, ++uses_};
    return;
  }
  entry->used = ++uses_;
  if (burst.bytes.empty()) {
    entry->burst = burst;
    return;
  }
  // A short one would leave most of its pages empty.
  auto memory = std::make_shared<FrameMemory>(
      burst.bytes.size(), burst.bytes.size() > kWorthSending ? pages_.take() : PageStore::Block());
  burst.bytes = memory->append(burst.bytes);
  burst.memory = std::move(memory);
  entry->burst = burst;
}

FilteredFrames::Entry* FilteredFrames::entry_of(const BurstRequest& request) {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.from == request.from && entry.filter == *request.filter;
  });
  return found == entries_.end() ? nullptr : &*found;
}

FilteredFrames::Entry& FilteredFrames::oldest() {
  return *std::ranges::min_element(entries_, {}, &Entry::used);
}

}  // namespace vibes::consumers
