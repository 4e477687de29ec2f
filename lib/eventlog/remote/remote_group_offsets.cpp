// SPDX-License-Identifier: MIT
#include "eventlog/remote/remote_group_offsets.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::remote {
namespace {

constexpr auto kRenewEvery = RemoteGroups::kHeldFor / 3;

}  // namespace

RemoteGroupOffsets::RemoteGroupOffsets(RemoteGroups& groups, GroupOffsets& here, End end,
                                       Options options)
    : groups_(groups), here_(here), end_(std::move(end)), options_(std::move(options)) {
  renewer_ = std::jthread([this](const std::stop_token& stop) { renew(stop); });
}

RemoteGroupOffsets::~RemoteGroupOffsets() { let_go_of_all(); }

void RemoteGroupOffsets::let_go_of_all() {
  renewer_.request_stop();
  if (renewer_.joinable()) {
    renewer_.join();
  }
  {
    const MutexLock lock(mutex_);
    for (const auto& [group, until] : claims_) {
      released_.insert(group);
    }
    claims_.clear();
  }
  let_go_of_released();
}

Result<void> RemoteGroupOffsets::refresh() {
  const MutexLock one_at_a_time(asking_);
  return load();
}

Result<void> RemoteGroupOffsets::load() {
  VIBES_TRY_ASSIGN(offsets, groups_.load());
  for (const auto& [group, next] : offsets) {
    (void)here_.commit(group, std::min(next, end_()));
  }
  const MutexLock lock(mutex_);
  offsets_ = std::move(offsets);
  return {};
}

Result<void> RemoteGroupOffsets::check_commit(std::string_view group, Offset next) const {
  if (!is_group_name(group)) {
    return fail(Errc::bad_group_name, std::string(group.substr(0, limits::kGroupNameBytesMax)));
  }
  if (const Offset end = end_(); next > end) {
    return fail(Errc::bad_commit, fmt::format("group {}: {} is past the end at {}", group,
                                              next.value(), end.value()));
  }
  return check_claim(group);
}

/// A claim that could not be renewed may be another's by now. Who never claimed is not checked:
/// that is for a group that nobody runs.
Result<void> RemoteGroupOffsets::check_claim(std::string_view group) const {
  const MutexLock lock(mutex_);
  const auto claim = claims_.find(group);
  if (claim != claims_.end() && Clockwork::now() >= claim->second) {
    return fail(Errc::group_held, fmt::format("group {}: it could not be held any longer", group));
  }
  return {};
}

Result<void> RemoteGroupOffsets::commit(std::string_view group, Offset next) {
  VIBES_TRY(check_commit(group, next));
  if (is_kept_here(group)) {
    return here_.commit(group, next);
  }
  const MutexLock one_at_a_time(asking_);
  {
    const MutexLock lock(mutex_);
    if (!offsets_.contains(group) && offsets_.size() >= limits::kGroupsMax) {
      return fail(Errc::too_many_groups, fmt::format("at most {}", limits::kGroupsMax));
    }
  }
  VIBES_TRY(groups_.store(group, next));
  (void)here_.commit(group, next);  // the copy keeps what the group has yet to read
  const MutexLock lock(mutex_);
  offsets_.insert_or_assign(std::string(group), next);
  return {};
}

std::optional<Offset> RemoteGroupOffsets::committed(std::string_view group) const {
  if (is_kept_here(group)) {
    return here_.committed(group);
  }
  const MutexLock lock(mutex_);
  const auto found = offsets_.find(group);
  return found == offsets_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, Offset, std::less<>> RemoteGroupOffsets::all() const {
  auto offsets = here_.all();
  std::erase_if(offsets, [this](const auto& one) { return !is_kept_here(one.first); });
  const MutexLock lock(mutex_);
  offsets.insert(offsets_.begin(), offsets_.end());
  return offsets;
}

Result<void> RemoteGroupOffsets::remove(std::string_view group) {
  if (is_kept_here(group)) {
    return here_.remove(group);
  }
  const MutexLock one_at_a_time(asking_);
  if (!committed(group)) {
    return fail(Errc::not_found, fmt::format("group {}", group));
  }
  VIBES_TRY(groups_.remove(group));
  (void)here_.remove(group);
  const MutexLock lock(mutex_);
  offsets_.erase(offsets_.find(group));
  return {};
}

Result<void> RemoteGroupOffsets::claim(std::string_view group) {
  if (options_.of_each.contains(group) || !is_group_name(group)) {
    return {};
  }
  const MutexLock one_at_a_time(asking_);
  {
    const MutexLock lock(mutex_);
    const auto claim = claims_.find(group);
    if (claim != claims_.end() && Clockwork::now() < claim->second) {
      released_.erase(std::string(group));
      return {};
    }
  }
  const auto asked = Clockwork::now();
  VIBES_TRY_ASSIGN(holder, groups_.hold(group, options_.owner));
  if (holder) {
    return fail(Errc::group_held, fmt::format("group {} is with {}", group, *holder));
  }
  VIBES_TRY(load());
  const MutexLock lock(mutex_);
  released_.erase(std::string(group));
  claims_.insert_or_assign(std::string(group), asked + RemoteGroups::kHeldFor);
  return {};
}

void RemoteGroupOffsets::release(std::string_view group) {
  const MutexLock lock(mutex_);
  if (claims_.contains(group)) {
    released_.emplace(group);
    changed_.notify_all();
  }
}

void RemoteGroupOffsets::renew(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      MutexLock lock(mutex_);
      const auto released = [this]() VIBES_REQUIRES(mutex_) { return !released_.empty(); };
      changed_.wait_for(lock, stop, kRenewEvery, released);
    }
    if (!stop.stop_requested()) {
      let_go_of_released();
      renew_all();
    }
  }
}

void RemoteGroupOffsets::let_go_of_released() {
  const MutexLock one_at_a_time(asking_);
  Names released;
  {
    const MutexLock lock(mutex_);
    released = std::exchange(released_, {});
    for (const std::string& group : released) {
      claims_.erase(group);
    }
  }
  for (const std::string& group : released) {
    (void)groups_.let_go(group, options_.owner);  // else it ends by itself
  }
}

void RemoteGroupOffsets::renew_all() {
  std::vector<std::string> claimed;
  {
    const MutexLock lock(mutex_);
    for (const auto& [group, until] : claims_) {
      claimed.push_back(group);
    }
  }
  for (const std::string& group : claimed) {
    const MutexLock one_at_a_time(asking_);
    const auto asked = Clockwork::now();
    const auto holder = groups_.hold(group, options_.owner);
    const MutexLock lock(mutex_);
    const auto claim = claims_.find(group);
    if (claim != claims_.end() && holder) {
      claim->second = *holder ? asked : asked + RemoteGroups::kHeldFor;
    }
  }
}

}  // namespace vibes::eventlog::remote
