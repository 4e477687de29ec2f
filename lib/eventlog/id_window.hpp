// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/offset.hpp"
#include "base/uuid.hpp"

namespace vibes::eventlog {

/// The event ids of the newest events of a log, each with its offset and a fingerprint of its
/// payload: what makes an append idempotent. Flat memory of 24 bytes per event and 4 to 8 for the
/// hash table; it grows with its content up to the capacity, then the oldest event leaves for each
/// new one. Not thread-safe.
class IdWindow {
 public:
  struct Known {
    Offset offset;
    std::uint64_t fingerprint = 0;
  };

  /// The first push() will be of the event at `end`.
  explicit IdWindow(std::size_t capacity = limits::kIdempotencyWindowEvents, Offset end = Offset{});

  /// Tells payloads apart. Stored in index files: it never changes (XXH3, 64 bits, no seed).
  static std::uint64_t fingerprint(std::string_view payload);

  /// Forgets everything; the next push() is of the event at `end`.
  void reset(Offset end);
  /// Makes room for `count` events at once.
  void reserve(std::size_t count);
  /// Adds the event at end().
  void push(const Uuid& event_id, std::uint64_t fingerprint);
  /// Takes back the events from `end` on, which were never appended after all.
  void truncate(Offset end);

  [[nodiscard]] std::optional<Known> find(const Uuid& event_id) const;

  [[nodiscard]] Offset first() const { return first_; }
  [[nodiscard]] Offset end() const { return end_; }

 private:
  struct Entry {
    Uuid event_id;
    std::uint64_t fingerprint = 0;
  };
  static constexpr std::uint32_t kFree = 0xffffffff;

  [[nodiscard]] std::size_t ring_index(Offset offset) const { return offset.value() % capacity_; }
  [[nodiscard]] std::size_t home(const Uuid& event_id) const;
  Entry& entry_at(std::size_t index);
  void grow_table();
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);

  std::size_t capacity_;
  Offset first_;
  Offset end_;
  std::vector<Entry> ring_;           // the event at offset o is at o % capacity_
  std::vector<std::uint32_t> table_;  // open addressing, linear probing: indices into ring_
};

}  // namespace vibes::eventlog
