// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"

namespace vibes::eventlog {

/// Events that cannot be served any more: [from, to).
struct Gap {
  Offset from;
  Offset to;
};

struct ReadRequest {
  std::size_t events_max = 1'000;
  /// Payload bytes returned; at least one event is returned even if it alone is larger.
  std::size_t bytes_max = 1U << 20U;
  /// Bytes looked at, matching or not, which bounds the time of one read under a rare filter.
  std::size_t scan_bytes_max = 4U << 20U;
  /// Only these are returned; the position moves past the others all the same. Borrowed; nullptr:
  /// all.
  const event::Filter* filter = nullptr;
};

/// What a read found. The views live until the next call on the same reader, or its end.
struct ReadBatch {
  std::span<const event::EventView> events;
  /// Set where the position was below what is kept; then `events` is empty and the reader stands at
  /// gap.to.
  std::optional<Gap> gap;
};

/// A place in the log from which to read. Readers see only durable events (at the configured level)
/// and never past the end that was published when read() was called. A reader belongs to one thread
/// at a time; any number of readers may be used beside each other and beside appends. It must not
/// outlive its log.
class Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;

  /// The next events in ascending order; moves the position past everything looked at. An empty
  /// result without gap, with position() == end(), means caught up; with a filter it may just mean
  /// that scan_bytes_max was used up. Never waits. Errors: Errc::corrupt with the range, or the I/O
  /// error; the position does not move, and nothing is ever skipped silently.
  virtual Result<ReadBatch> read(const ReadRequest& request) = 0;

  /// The same backwards: the newest events before the position, in DESCENDING order; moves the
  /// position down to the oldest one looked at. Stops at first(): caught up means position() <=
  /// first().
  virtual Result<ReadBatch> read_back(const ReadRequest& request) = 0;

  /// The offset the next read() starts at.
  [[nodiscard]] virtual Offset position() const = 0;
  virtual void seek(Offset offset) = 0;
};

}  // namespace vibes::eventlog
