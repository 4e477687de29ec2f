// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/page_store.hpp"
#include "consumers/burst.hpp"
#include "event/filter.hpp"

namespace vibes::consumers {

/// What filters took of the log lately, so that of many clients with one filter who stand at one
/// place only the first two search and copy. What one client alone asks for is noted and not kept.
/// It only saves work: what it does not hold is collected anew.
///
/// Holds the bursts of limits::kFilteredBurstsMax places at most, and what was used longest ago
/// goes first. Thread-safe.
class FilteredFrames {
 public:
  FilteredFrames() = default;
  FilteredFrames(const FilteredFrames&) = delete;
  FilteredFrames& operator=(const FilteredFrames&) = delete;

  /// Whether it is of use for such a request at all: frames, with a filter, and no end but that of
  /// the log.
  [[nodiscard]] static bool serves(const BurstRequest& request);

  /// What another client was given for the same request, where that fills a message or there is no
  /// more: the log ends at `end`. Requires serves(request).
  [[nodiscard]] std::optional<Burst> find(const BurstRequest& request, Offset end);

  /// `burst` is what was collected for `request`: the first time that is noted, the second time its
  /// bytes are kept, and `burst` shows the kept ones. Requires serves(request).
  void note(const BurstRequest& request, Burst& burst);

 private:
  struct Entry {
    Offset from;
    event::Filter filter;
    std::optional<Burst> burst;  // nothing: it was asked for once
    std::uint64_t used = 0;      // uses_ at its last use
  };

  Entry* entry_of(const BurstRequest& request) VIBES_REQUIRES(mutex_);
  Entry& oldest() VIBES_REQUIRES(mutex_);

  // Those held, and as many again that are on their way to a socket.
  PageStore pages_{2 * limits::kFilteredBurstsMax};
  mutable Mutex mutex_;
  std::vector<Entry> entries_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t uses_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::consumers
