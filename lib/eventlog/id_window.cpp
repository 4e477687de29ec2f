// SPDX-License-Identifier: MIT
#include "eventlog/id_window.hpp"

#define XXH_INLINE_ALL
#include <algorithm>

#include <xxhash.h>

#include "base/assert.hpp"

namespace vibes::eventlog {
namespace {

constexpr std::size_t kTableMin = 1'024;

}  // namespace

IdWindow::IdWindow(std::size_t capacity, Offset end)
    : capacity_(capacity), first_(end), end_(end), table_(kTableMin, kFree) {
  VIBES_ASSERT(capacity > 0 && capacity < kFree / 2);
}

std::uint64_t IdWindow::fingerprint(std::string_view payload) {
  return XXH3_64bits(payload.data(), payload.size());
}

void IdWindow::reset(Offset end) {
  first_ = end_ = end;
  ring_.clear();
  table_.assign(kTableMin, kFree);
}

void IdWindow::reserve(std::size_t count) {
  while (table_.size() < std::min(count, capacity_) * 2) {
    table_.resize(table_.size() * 2);
  }
  table_.assign(table_.size(), kFree);
  for (Offset at = first_; at < end_; ++at) {
    link(static_cast<std::uint32_t>(ring_index(at)));
  }
}

void IdWindow::push(const Uuid& event_id, std::uint64_t fingerprint) {
  if (end_ - first_ == capacity_) {
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
  for (std::size_t slot = home(event_id); table_[slot] != kFree; slot = (slot + 1) & mask) {
    const std::size_t index = table_[slot];
    if (ring_[index].event_id != event_id) {
      continue;
    }
    // The offset is the only one in [first_, end_) that lies at this index.
    const std::size_t base = ring_index(first_);
    const std::size_t ahead = index >= base ? index - base : index + capacity_ - base;
    return Known{first_ + ahead, ring_[index].fingerprint};
  }
  return std::nullopt;
}

std::size_t IdWindow::home(const Uuid& event_id) const {
  return std::hash<Uuid>{}(event_id) & (table_.size() - 1);
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
  table_.assign(table_.size() * 2, kFree);
  for (Offset at = first_; at < end_; ++at) {
    link(static_cast<std::uint32_t>(ring_index(at)));
  }
}

void IdWindow::link(std::uint32_t index) {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = home(ring_[index].event_id);
  while (table_[slot] != kFree) {
    slot = (slot + 1) & mask;
  }
  table_[slot] = index;
}

void IdWindow::unlink(std::uint32_t index) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = home(ring_[index].event_id);
  while (table_[hole] != index) {
    VIBES_ASSERT(table_[hole] != kFree);
    hole = (hole + 1) & mask;
  }
  // Backward shift: whoever probed past the hole moves into it, so that no tombstones pile up.
  for (std::size_t slot = (hole + 1) & mask; table_[slot] != kFree; slot = (slot + 1) & mask) {
    const std::size_t wanted = home(ring_[table_[slot]].event_id);
    if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
      table_[hole] = table_[slot];
      hole = slot;
    }
  }
  table_[hole] = kFree;
}

}  // namespace vibes::eventlog
