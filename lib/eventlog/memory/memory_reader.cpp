// SPDX-License-Identifier: MIT
#include "eventlog/memory/memory_reader.hpp"

#include <algorithm>

namespace vibes::eventlog {
namespace {

constexpr std::size_t kSliceEvents = 256;  // copied at once under the store's lock

}  // namespace

struct MemoryReader::Budget {
  explicit Budget(const ReadRequest& request)
      : filter(request.filter),
        events(request.events_max),
        bytes(request.bytes_max),
        scan_bytes(request.scan_bytes_max) {}

  const event::Filter* filter;
  std::size_t events;
  std::size_t bytes;
  std::size_t scan_bytes;
  bool looked = false;
};

void MemoryReader::clear() {
  views_.clear();
  held_.clear();
}

bool MemoryReader::take(const StoredEventPtr& event, Offset offset, Budget& budget) {
  if (budget.events == 0 || (budget.looked && budget.scan_bytes == 0)) {
    return false;
  }
  const bool wanted =
      budget.filter == nullptr || budget.filter->matches(event->type, event->session);
  const std::size_t bytes = event->payload.size();
  if (wanted && !views_.empty() && bytes > budget.bytes) {
    return false;
  }
  budget.looked = true;
  budget.scan_bytes -= std::min(budget.scan_bytes, static_cast<std::size_t>(event->bytes()));
  if (wanted) {
    views_.push_back(view_of(offset, *event));
    held_.push_back(event);
    budget.bytes -= std::min(budget.bytes, bytes);
    --budget.events;
  }
  return true;
}

bool MemoryReader::read_slice(Offset end, Budget& budget) {
  const auto slice = store_.copy(position_, end, kSliceEvents);
  for (const StoredEventPtr& event : slice) {
    if (!take(event, position_, budget)) {
      return false;
    }
    ++position_;
  }
  return !slice.empty();
}

Result<ReadBatch> MemoryReader::read(const ReadRequest& request) {
  clear();
  const Offset end = signal_.end();
  const Offset first = store_.first();
  if (position_ < first) {
    const Gap gap{position_, first};
    position_ = first;
    return ReadBatch{{}, gap};
  }
  Budget budget(request);
  while (read_slice(end, budget)) {
  }
  return ReadBatch{views_, std::nullopt};
}

bool MemoryReader::read_slice_back(Offset first, Budget& budget) {
  const std::uint64_t count = std::min<std::uint64_t>(kSliceEvents, position_ - first);
  const Offset from = position_ - count;
  const auto slice = store_.copy(from, position_, count);
  for (auto event = slice.rbegin(); event != slice.rend(); ++event) {
    if (!take(*event, position_ - 1, budget)) {
      return false;
    }
    position_ = position_ - 1;
  }
  return !slice.empty();
}

Result<ReadBatch> MemoryReader::read_back(const ReadRequest& request) {
  clear();
  position_ = std::min(position_, signal_.end());
  Budget budget(request);
  for (Offset first = store_.first(); position_ > first; first = store_.first()) {
    if (!read_slice_back(first, budget)) {
      break;
    }
  }
  return ReadBatch{views_, std::nullopt};
}

}  // namespace vibes::eventlog
