// SPDX-License-Identifier: MIT
#include "eventlog/memory/memory_group_offsets.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog {

Result<void> MemoryGroupOffsets::commit(std::string_view group, Offset next) {
  if (!is_group_name(group)) {
    return fail(Errc::bad_group_name, std::string(group.substr(0, limits::kGroupNameBytesMax)));
  }
  if (const Offset end = signal_.end(); next > end) {
    return fail(Errc::bad_commit, fmt::format("group {}: {} is past the end at {}", group,
                                              next.value(), end.value()));
  }
  const MutexLock lock(mutex_);
  const auto found = offsets_.find(group);
  if (found != offsets_.end()) {
    found->second = next;
    return {};
  }
  if (offsets_.size() >= limits::kGroupsMax) {
    return fail(Errc::too_many_groups, fmt::format("at most {}", limits::kGroupsMax));
  }
  offsets_.emplace(group, next);
  return {};
}

std::optional<Offset> MemoryGroupOffsets::committed(std::string_view group) const {
  const MutexLock lock(mutex_);
  const auto found = offsets_.find(group);
  return found == offsets_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, Offset, std::less<>> MemoryGroupOffsets::all() const {
  const MutexLock lock(mutex_);
  return offsets_;
}

Result<void> MemoryGroupOffsets::remove(std::string_view group) {
  const MutexLock lock(mutex_);
  const auto found = offsets_.find(group);
  if (found == offsets_.end()) {
    return fail(Errc::not_found, fmt::format("group {}", group));
  }
  offsets_.erase(found);
  return {};
}

}  // namespace vibes::eventlog
