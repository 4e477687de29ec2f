// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/page_store.hpp"
#include "consumers/burst.hpp"
#include "consumers/frame_chunk.hpp"
#include "event/event.hpp"

namespace vibes::consumers {

/// Frames of events that have left the broadcaster's ring, kept for a while by whoever read them
/// from the log, so that many clients who replay the same past cost one reading and one encoding.
/// It only saves work: what it does not hold is read from the log.
///
/// Holds limits::kPastFramesBytesMax at most, and what was used longest ago goes first. A chunk
/// that has gone lives until the last burst made from it is gone. Thread-safe.
class PastFrames {
 public:
  explicit PastFrames(std::size_t bytes_max = limits::kPastFramesBytesMax)
      : bytes_max_(bytes_max) {}
  PastFrames(const PastFrames&) = delete;
  PastFrames& operator=(const PastFrames&) = delete;

  /// As Broadcaster::collect(), as far as what is kept goes. Nothing: it does not hold
  /// `request.from`; read the log and keep().
  [[nodiscard]] std::optional<Burst> collect(const BurstRequest& request, std::string& scratch);

  /// Encodes events of the log, consecutive ones and at least one: as many as make one chunk and
  /// are not kept already, but at least the first. Returns the chunk.
  /// There are `clients` who may want it.
  std::shared_ptr<const FrameChunk> keep(std::span<const event::EventView> events,
                                         std::size_t clients);

  /// What the chunks occupy.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Kept {
    std::shared_ptr<const FrameChunk> chunk;  // shared: readers keep what goes
    std::uint64_t used = 0;                   // uses_ at its last use
  };

  std::shared_ptr<const FrameChunk> find(Offset offset);
  [[nodiscard]] std::optional<Offset> next_kept(Offset from) const;
  void insert(std::shared_ptr<const FrameChunk> chunk);
  void drop_oldest() VIBES_REQUIRES(mutex_);

  const std::size_t bytes_max_;
  PageStore pages_{2 * limits::kPastFramesBytesMax / PageStore::kBlockBytes};  // as the ring's
  mutable Mutex mutex_;
  std::map<Offset, Kept> chunks_ VIBES_GUARDED_BY(mutex_);  // by their first; they do not overlap
  std::size_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t uses_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::consumers
