// SPDX-License-Identifier: MIT
#include "eventlog/file/tail_cache.hpp"

#include <algorithm>
#include <utility>

namespace vibes::eventlog::file {

void TailCache::push(std::shared_ptr<const TailBatch> batch) {
  std::vector<std::shared_ptr<const TailBatch>> dropped;  // freed after the lock
  const MutexLock lock(mutex_);
  bytes_ += batch->memory();
  batches_.push_back(std::move(batch));
  while (bytes_ > bytes_max_) {
    bytes_ -= batches_.front()->memory();
    dropped.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
}

std::shared_ptr<const TailBatch> TailCache::find(Offset offset) const {
  const MutexLock lock(mutex_);
  const auto after = std::upper_bound(
      batches_.begin(), batches_.end(), offset,
      [](Offset value, const std::shared_ptr<const TailBatch>& b) { return value < b->end(); });
  if (after == batches_.end() || offset < (*after)->first) {
    return nullptr;
  }
  return *after;
}

}  // namespace vibes::eventlog::file
