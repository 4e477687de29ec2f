// SPDX-License-Identifier: MIT
#include "eventlog/remote/remote_group_offsets.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::remote {

Result<void> RemoteGroupOffsets::refresh() {
  const MutexLock one_at_a_time(storing_);
  VIBES_TRY_ASSIGN(offsets, groups_.load());
  const MutexLock lock(mutex_);
  offsets_ = std::move(offsets);
  return {};
}

Result<void> RemoteGroupOffsets::commit(std::string_view group, Offset next) {
  if (!is_group_name(group)) {
    return fail(Errc::bad_group_name, std::string(group.substr(0, limits::kGroupNameBytesMax)));
  }
  if (const Offset end = end_(); next > end) {
    return fail(Errc::bad_commit, fmt::format("group {}: {} is past the end at {}", group,
                                              next.value(), end.value()));
  }
  const MutexLock one_at_a_time(storing_);
  {
    const MutexLock lock(mutex_);
    if (!offsets_.contains(group) && offsets_.size() >= limits::kGroupsMax) {
      return fail(Errc::too_many_groups, fmt::format("at most {}", limits::kGroupsMax));
    }
  }
  VIBES_TRY(groups_.store(group, next));
  const MutexLock lock(mutex_);
  offsets_.insert_or_assign(std::string(group), next);
  return {};
}

std::optional<Offset> RemoteGroupOffsets::committed(std::string_view group) const {
  const MutexLock lock(mutex_);
  const auto found = offsets_.find(group);
  return found == offsets_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, Offset, std::less<>> RemoteGroupOffsets::all() const {
  const MutexLock lock(mutex_);
  return offsets_;
}

Result<void> RemoteGroupOffsets::remove(std::string_view group) {
  const MutexLock one_at_a_time(storing_);
  if (!committed(group)) {
    return fail(Errc::not_found, fmt::format("group {}", group));
  }
  VIBES_TRY(groups_.remove(group));
  const MutexLock lock(mutex_);
  offsets_.erase(offsets_.find(group));
  return {};
}

}  // namespace vibes::eventlog::remote
