// SPDX-License-Identifier: MIT
// Groups whose members share them.
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/errc.hpp"
#include "consumers/group_registry_impl.hpp"

namespace vibes::consumers {

void GroupRegistryImpl::give_notices(Group& group) {
  for (const SlotTable::MemberId id : group.table->take_notices()) {
    group.on_change.at(id)();
  }
}

Result<GroupRegistryImpl::Shared> GroupRegistryImpl::share(std::string_view name,
                                                           FirstStart first_start,
                                                           std::function<void()> on_change) {
  VIBES_TRY(claim(name));
  const MutexLock lock(mutex_);
  VIBES_TRY(check_new(name));
  Group& group = groups_[std::string(name)];
  if (group.taken && group.on_change.empty()) {
    return fail(Errc::group_busy, fmt::format("group {}", name));
  }
  if (group.on_change.size() >= limits::kGroupMembersMax) {
    return fail(Errc::group_busy,
                fmt::format("group {} has {} members", name, limits::kGroupMembersMax));
  }
  const Offset start = start_of(name, group, first_start);
  if (group.table && group.on_change.empty() && start > group.table->group_commit()) {
    group.table.reset();  // another server had the group meanwhile
  }
  if (!group.table) {
    group.table.emplace(start);
    group.pushed = start;
  }
  group.taken = true;
  const Shared shared{++last_member_, group.table->group_commit()};
  group.on_change.emplace(shared.id, std::move(on_change));
  group.table->join(shared.id);
  give_notices(group);
  return shared;
}

void GroupRegistryImpl::leave(std::string_view name, SlotTable::MemberId id) {
  const MutexLock lock(mutex_);
  Group& group = groups_.find(name)->second;
  group.on_change.erase(id);
  group.table->leave(id);
  if (!group.on_change.empty()) {
    give_notices(group);
    return;
  }
  group.taken = false;
  log_.group_offsets().release(name);
  if (group.table->is_even() || group.lost_letter) {
    group.table.reset();
    group.lost_letter.reset();
  }
}

// A group's commit also moves when a member is found to owe nothing. That happens with every event,
// so it is made durable as fast as the disk takes it and no faster.
void GroupRegistryImpl::push_progress(std::string_view name, Group& group) {
  if (group.pushing || !group.table || group.table->group_commit() == group.pushed) {
    return;
  }
  const Offset now = group.table->group_commit();
  const auto done = [this, key = std::string(name)](const Result<Offset>&) {
    const MutexLock lock(mutex_);
    if (const auto found = groups_.find(key); found != groups_.end()) {
      found->second.pushing = false;
      push_progress(key, found->second);
    }
  };
  if (queue_.push({std::string(name), Work::Kind::commit, now, {}, 0, done})) {
    group.pushing = true;
    group.pushed = now;
  }
}

SlotTable::Share GroupRegistryImpl::sync(std::string_view name, SlotTable::MemberId id,
                                         SlotTable::Place place) {
  const MutexLock lock(mutex_);
  Group& group = groups_.find(name)->second;
  SlotTable::Share share = group.table->sync(id, place);
  push_progress(name, group);
  give_notices(group);
  return share;
}

SlotTable::Segment GroupRegistryImpl::segment(std::string_view name, SlotTable::MemberId id,
                                              Offset cursor) const {
  const MutexLock lock(mutex_);
  return groups_.find(name)->second.table->segment(id, cursor);
}

bool GroupRegistryImpl::holds_others_back(std::string_view name, SlotTable::MemberId id,
                                          SlotTable::Place place) const {
  const MutexLock lock(mutex_);
  return groups_.find(name)->second.table->holds_others_back(id, place);
}

// Under the lock to the end, so that the commits of a group's members come in their order.
Result<void> GroupRegistryImpl::commit_share(Work work, SlotTable::MemberId id,
                                             SlotTable::Place place) {
  const MutexLock lock(mutex_);
  Group& group = groups_.find(work.group)->second;
  const bool rejects = work.kind == Work::Kind::reject;
  const Offset next = rejects ? work.offset + 1 : work.offset;
  if (rejects) {
    VIBES_TRY(queue_.push({work.group,
                           Work::Kind::set_aside,
                           work.offset,
                           std::move(work.reason),
                           work.attempts,
                           {}}));
  }
  SlotTable after = *group.table;
  after.commit(id, rejects && after.members() == 1 ? std::max(next, after.group_commit()) : next,
               place);
  VIBES_TRY(queue_.push(
      {work.group, Work::Kind::commit, after.group_commit(), {}, 0, std::move(work.done)}));
  group.table = std::move(after);
  group.pushed = group.table->group_commit();
  give_notices(group);
  return {};
}

}  // namespace vibes::consumers
