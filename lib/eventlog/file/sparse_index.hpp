// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "eventlog/file/format.hpp"

namespace vibes::eventlog::file {

/// Where in a segment an event is: about one entry per format::kIndexEvery bytes.
struct SparseEntry {
  Offset offset;  // of the first record at or behind `position`
  Timestamp time;
  std::uint32_t position = 0;   // of a record, or of a batch header where batch_end is 0
  std::uint32_t batch_end = 0;  // of the batch the record is in
};

/// The part of a segment between two entries: it starts at `from` and holds whole records.
struct Stretch {
  SparseEntry from;
  std::optional<std::uint32_t> end;  // where the next stretch starts; nothing: the last one
};

/// The entries of one segment, in order. Not thread-safe.
class SparseIndex {
 public:
  /// Told of every batch in order; remembers what is far enough from the entry before.
  void note_batch(Offset first, Timestamp time, std::uint64_t position) {
    if (entries_.empty() || position - entries_.back().position >= format::kIndexEvery) {
      entries_.push_back({first, time, static_cast<std::uint32_t>(position), 0});
    }
  }
  /// Told of every record of that batch in order.
  void note_record(Offset offset, Timestamp time, std::uint64_t position, std::uint64_t batch_end) {
    if (position - entries_.back().position >= format::kIndexEvery) {
      entries_.push_back({offset, time, static_cast<std::uint32_t>(position),
                          static_cast<std::uint32_t>(batch_end)});
    }
  }
  void add(const SparseEntry& entry) { entries_.push_back(entry); }
  /// Forgets the entries behind the first `count`.
  void cut(std::size_t count) { entries_.resize(count); }

  [[nodiscard]] const std::vector<SparseEntry>& entries() const { return entries_; }
  /// The stretch that holds `offset`, which must be one of the segment's. Nothing in an empty
  /// index.
  [[nodiscard]] std::optional<Stretch> stretch_of(Offset offset) const;
  /// The first stretch that may hold an event of `time` or later.
  [[nodiscard]] std::optional<Stretch> stretch_at(Timestamp time) const;

 private:
  [[nodiscard]] std::optional<Stretch> stretch(std::size_t index) const;

  std::vector<SparseEntry> entries_;
};

}  // namespace vibes::eventlog::file
