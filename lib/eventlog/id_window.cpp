// SPDX-License-Identifier: MIT
#include "eventlog/id_window.hpp"

#define XXH_INLINE_ALL
#include <algorithm>

#include <xxhash.h>

#include "base/assert.hpp"

namespace vibes::eventlog {
namespace {

constexpr std::size_t kTableMin = 1'024;
// So many events before it is needed a place in the table is fetched.
constexpr std::size_t kAhead = 16;

}  // namespace

IdWindow::IdWindow(std::size_t capacity, Offset end)
    : capacity_(capacity), first_(end), end_(end), table_(kTableMin) {
  VIBES_ASSERT(capacity > 0 && capacity < kFree / 2);
}

std::uint64_t IdWindow::fingerprint(std::string_view payload) {
  return XXH3_64bits(payload.data(), payload.size());
}

void IdWindow::reset(Offset end) {
  first_ = end_ = end;
  ring_.clear();
  table_.assign(kTableMin, Slot{});
}

void IdWindow::reserve(std::size_t count) {
  while (table_.size() < std::min(count, capacity_) * 2) {
    table_.resize(table_.size() * 2);
  }
  link_all();
}

void IdWindow::expect(const Uuid& event_id) const {
  __builtin_prefetch(&table_[home(tag_of(event_id))], 1);
}

void IdWindow::push(const Uuid& event_id, std::uint64_t fingerprint) {
  if (end_ - first_ == capacity_) {
    if (capacity_ > kAhead) {
      expect(ring_[ring_index(first_ + kAhead)].event_id);
    }
    unlink(static_cast<std::uint32_t>(ring_index(first_)));
    ++first_;
  }
  if ((end_ - first_ + 1) * 2 > table_.size()) {
    grow_table();
  }
  const std::size_t index = ring_index(end_);
  entry_at(index) = Entry{event_id, fingerprint};
  link(static_cast<std::uint32_t>(index));
  ++end_;
}

void IdWindow::truncate(Offset end) {
  while (end_ > end && end_ > first_) {
    end_ = end_ - 1;
    unlink(static_cast<std::uint32_t>(ring_index(end_)));
  }
  if (end_ > end) {
    reset(end);
  }
}

std::optional<IdWindow::Known> IdWindow::find(const Uuid& event_id) const {
  const std::size_t mask = table_.size() - 1;
  const std::uint32_t tag = tag_of(event_id);
  for (std::size_t at = home(tag); table_[at].index != kFree; at = (at + 1) & mask) {
    const std::size_t index = table_[at].index;
    if (table_[at].tag != tag || ring_[index].event_id != event_id) {
      continue;
    }
    // The offset is the only one in [first_, end_) that lies at this index.
    const std::size_t base = ring_index(first_);
    const std::size_t ahead = index >= base ? index - base : index + capacity_ - base;
    return Known{first_ + ahead, ring_[index].fingerprint};
  }
  return std::nullopt;
}

// Ids that are counted up, as those that the log gives, come eight to a cache line of the table:
// each would be a miss of its own, in the cache and in the TLB.
std::uint32_t IdWindow::tag_of(const Uuid& event_id) {
  constexpr std::uint8_t kLine = 64 / sizeof(Slot) - 1;
  Uuid line = event_id;
  line.bytes.back() &= static_cast<std::uint8_t>(~kLine);
  // The lines of one millisecond differ in the upper bits of their hash alone.
  const std::size_t hash = std::hash<Uuid>{}(line);
  const auto mixed = static_cast<std::uint32_t>(hash ^ (hash >> 32U));
  return (mixed & ~std::uint32_t{kLine}) | (event_id.bytes.back() & kLine);
}

IdWindow::Entry& IdWindow::entry_at(std::size_t index) {
  if (index >= ring_.size()) {
    // A log that starts high up in the ring fills it from there; the rest is touched when it is
    // reached.
    ring_.resize(index + 1);
  }
  return ring_[index];
}

void IdWindow::grow_table() {
  table_.resize(table_.size() * 2);
  link_all();
}

void IdWindow::link_all() {
  std::ranges::fill(table_, Slot{});
  for (Offset at = first_; at < end_; ++at) {
    if (end_ - at > kAhead) {
      expect(ring_[ring_index(at + kAhead)].event_id);
    }
    link(static_cast<std::uint32_t>(ring_index(at)));
  }
}

void IdWindow::link(std::uint32_t index) {
  const std::size_t mask = table_.size() - 1;
  const std::uint32_t tag = tag_of(ring_[index].event_id);
  std::size_t at = home(tag);
  while (table_[at].index != kFree) {
    at = (at + 1) & mask;
  }
  table_[at] = {index, tag};
}

void IdWindow::unlink(std::uint32_t index) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = home(tag_of(ring_[index].event_id));
  while (table_[hole].index != index) {
    VIBES_ASSERT(table_[hole].index != kFree);
    hole = (hole + 1) & mask;
  }
  // Backward shift: whoever probed past the hole moves into it, so that no tombstones pile up.
  for (std::size_t at = (hole + 1) & mask; table_[at].index != kFree; at = (at + 1) & mask) {
    const std::size_t wanted = home(table_[at].tag);
    if (((at - wanted) & mask) >= ((at - hole) & mask)) {
      table_[hole] = table_[at];
      hole = at;
    }
  }
  table_[hole] = Slot{};
}

}  // namespace vibes::eventlog
