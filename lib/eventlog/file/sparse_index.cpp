// SPDX-License-Identifier: MIT
#include "eventlog/file/sparse_index.hpp"

#include <algorithm>

namespace vibes::eventlog::file {

std::optional<Stretch> SparseIndex::stretch_of(Offset offset) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), offset,
                       [](Offset value, const SparseEntry& entry) { return value < entry.offset; });
  if (after == entries_.begin()) {
    return std::nullopt;
  }
  return stretch(static_cast<std::size_t>(after - entries_.begin()) - 1);
}

std::optional<Stretch> SparseIndex::stretch_at(Timestamp time) const {
  if (entries_.empty()) {
    return std::nullopt;
  }
  // An entry with exactly this time may have equal times before it, in the stretch before.
  const auto at_or_after = std::lower_bound(
      entries_.begin(), entries_.end(), time,
      [](const SparseEntry& entry, Timestamp value) { return entry.time < value; });
  const auto index = static_cast<std::size_t>(at_or_after - entries_.begin());
  return stretch(index == 0 ? 0 : index - 1);
}

std::optional<Stretch> SparseIndex::stretch(std::size_t index) const {
  Stretch found{entries_[index], std::nullopt};
  if (index + 1 < entries_.size()) {
    found.end = entries_[index + 1].position;
  }
  return found;
}

}  // namespace vibes::eventlog::file
