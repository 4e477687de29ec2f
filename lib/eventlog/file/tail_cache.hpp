// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "eventlog/file/codec.hpp"

namespace vibes::eventlog::file {

/// One group commit as it was written, kept for those who read close to the end. Immutable once
/// shared.
struct TailBatch {
  Offset first;
  Buffer bytes;                          // header and body
  std::vector<std::uint32_t> positions;  // of each record in `bytes`

  [[nodiscard]] Offset end() const { return first + positions.size(); }
  [[nodiscard]] event::EventView event(Offset offset) const {
    return view_record(bytes.data() + positions[offset - first], offset).event;
  }
  [[nodiscard]] std::size_t memory() const {
    return bytes.capacity() + positions.capacity() * sizeof(std::uint32_t);
  }
};

/// The newest batches, up to limits::kTailCacheBytesMax. A reader holds the ones it shows (hence
/// shared_ptr), so memory is bounded by that and one read per reader. Thread-safe.
class TailCache {
 public:
  explicit TailCache(std::size_t bytes_max = limits::kTailCacheBytesMax) : bytes_max_(bytes_max) {}

  void push(std::shared_ptr<const TailBatch> batch);
  /// The batch that holds `offset`; nullptr if it is not kept (any more).
  [[nodiscard]] std::shared_ptr<const TailBatch> find(Offset offset) const;

 private:
  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::deque<std::shared_ptr<const TailBatch>> batches_ VIBES_GUARDED_BY(mutex_);
  std::size_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::eventlog::file
