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
/// payload: what makes an append idempotent. Flat memory of 24 bytes per event and 16 to 32 for the
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
  /// Says that this id will be looked up or pushed soon, so that its place is in the cache by then:
  /// the table is larger than a cache, and an id can be anywhere in it.
  void expect(const Uuid& event_id) const;
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
  /// A place of the table. With a part of the hash beside the index most questions are answered
  /// without a look at the ring, which is another cache miss.
  struct Slot {
    std::uint32_t index = kFree;  // into ring_
    std::uint32_t tag = 0;        // the hash's low half
  };
  static constexpr std::uint32_t kFree = 0xffffffff;

  [[nodiscard]] std::size_t ring_index(Offset offset) const { return offset.value() % capacity_; }
  static std::uint32_t tag_of(const Uuid& event_id);
  [[nodiscard]] std::size_t home(std::uint32_t tag) const { return tag & (table_.size() - 1); }
  Entry& entry_at(std::size_t index);
  void grow_table();
  void link_all();
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);

  std::size_t capacity_;
  Offset first_;
  Offset end_;
  std::vector<Entry> ring_;  // the event at offset o is at o % capacity_
  std::vector<Slot> table_;  // open addressing, linear probing
};

}  // namespace vibes::eventlog
