// SPDX-License-Identifier: MIT
#include "consumers/group_registry.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/errc.hpp"
#include "consumers/group_memberships.hpp"
#include "consumers/group_registry_impl.hpp"
#include "io/file_system.hpp"

namespace vibes::consumers {

std::string_view to_string(GroupKind kind) { return kind == GroupKind::live ? "live" : "durable"; }

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::running:
      return "running";
    case GroupState::retrying:
      return "retrying";
    case GroupState::failed:
      return "failed";
    case GroupState::idle:
      return "idle";
  }
  return "failed";
}

namespace {

// For a member to finish what it has in hand.
constexpr std::chrono::seconds kMoveWithin{5};

Unexpected busy(std::string_view name) {
  return fail(Errc::group_busy, fmt::format("group {}", name));
}

}  // namespace

std::set<std::string, std::less<>> GroupRegistryImpl::names() const {
  std::set<std::string, std::less<>> names;
  for (const auto& [name, offset] : log_.group_offsets().all()) {
    names.insert(name);
  }
  for (const auto& [name, group] : groups_) {
    names.insert(name);
  }
  return names;
}

Result<void> GroupRegistryImpl::check_new(std::string_view name) const {
  if (!eventlog::is_group_name(name)) {
    return fail(eventlog::Errc::bad_group_name,
                std::string(name.substr(0, limits::kGroupNameBytesMax)));
  }
  if (live_.contains(name)) {
    return fail(Errc::live_group, fmt::format("group {}", name));
  }
  const auto all = names();
  if (!all.contains(name) && all.size() >= limits::kGroupsMax) {
    return fail(eventlog::Errc::too_many_groups, fmt::format("at most {}", limits::kGroupsMax));
  }
  return {};
}

Result<void> GroupRegistryImpl::claim(std::string_view name) {
  {
    const MutexLock lock(mutex_);
    VIBES_TRY(check_new(name));
  }
  return log_.group_offsets().claim(name);
}

Result<void> GroupRegistryImpl::take(std::string_view name) {
  VIBES_TRY(claim(name));
  const MutexLock lock(mutex_);
  VIBES_TRY(check_new(name));
  Group& group = groups_[std::string(name)];
  if (group.taken) {
    return busy(name);
  }
  group.taken = true;
  group.table.reset();  // whoever has it alone goes by the commit
  return {};
}

Result<Offset> GroupRegistryImpl::take_for_member(std::string_view name, FirstStart first_start,
                                                  std::function<void()> on_move) {
  VIBES_TRY(take(name));
  const MutexLock lock(mutex_);
  Group& group = groups_[std::string(name)];
  group.member = true;
  group.progress = {};
  group.on_move = std::move(on_move);
  return start_of(name, group, first_start);
}

Offset GroupRegistryImpl::start_of(std::string_view name, Group& group, FirstStart first_start) {
  if (const std::optional<Offset> committed = log_.group_offsets().committed(name)) {
    return *committed;
  }
  if (!group.first_start) {
    group.first_start = first_start == FirstStart::beginning ? log_.first() : log_.end();
    // Where it starts is remembered from now on, even if it never commits.
    // Should its queue be full, what waits there will be committed instead.
    (void)queue_.push({std::string(name), Work::Kind::commit, *group.first_start, {}, 0, {}});
  }
  return *group.first_start;
}

void GroupRegistryImpl::release(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(name);
  if (found == groups_.end()) {
    return;
  }
  Group& group = found->second;
  group.on_move = {};
  group.wanted_move.reset();
  moved_.notify_all();
  log_.group_offsets().release(name);
  if (!group.first_start && !log_.group_offsets().committed(name)) {
    groups_.erase(found);  // it was never made after all
    return;
  }
  group.taken = false;
  group.member = false;
  group.progress = {};
}

void GroupRegistryImpl::report(std::string_view name, Membership::Progress progress) {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(name);
  if (found != groups_.end()) {
    found->second.progress = std::move(progress);
  }
}

std::optional<Offset> GroupRegistryImpl::wanted_move(std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(name);
  return found == groups_.end() ? std::nullopt : found->second.wanted_move;
}

Result<Offset> GroupRegistryImpl::take_move(std::string_view name) {
  const std::optional<Offset> target = wanted_move(name);
  if (!target) {
    return log_.group_offsets().committed(name).value_or(log_.first());
  }
  VIBES_TRY(queue_.push_and_wait({std::string(name), Work::Kind::commit, *target, {}, 0, {}}));
  const MutexLock lock(mutex_);
  Group& group = groups_[std::string(name)];
  if (group.wanted_move == target) {  // else another one came meanwhile
    group.wanted_move.reset();
    moved_.notify_all();
  }
  return *target;
}

Group* GroupRegistryImpl::movable(std::string_view name) {
  const auto found = groups_.find(name);
  return found == groups_.end() || !found->second.on_move ? nullptr : &found->second;
}

Result<bool> GroupRegistryImpl::ask_to_move(std::string_view name, Offset target) {
  MutexLock lock(mutex_);
  Group* group = movable(name);
  if (group == nullptr) {
    return false;
  }
  group->wanted_move = target;
  group->on_move();
  const auto deadline = std::chrono::steady_clock::now() + kMoveWithin;
  for (; group != nullptr && group->wanted_move; group = movable(name)) {
    if (moved_.wait_until(lock, deadline) == std::cv_status::timeout) {
      return fail(Errc::group_busy,
                  fmt::format("group {}: it will be moved when its event is done", name));
    }
  }
  return true;
}

void GroupRegistryImpl::add_live(std::string name, std::function<GroupRegistry::LiveView()> view) {
  const MutexLock lock(mutex_);
  live_.insert_or_assign(std::move(name), std::move(view));
}

bool GroupRegistryImpl::is_known(std::string_view name) const {
  const MutexLock lock(mutex_);
  return live_.contains(name) || names().contains(name);
}

void GroupRegistryImpl::add_lag(GroupStatus& status) const {
  status.end = std::max(log_.end(), status.committed);
  const Offset from = std::min(std::max(status.committed, log_.first()), status.end);
  status.lag = status.end - from;
  if (status.lag == 0) {
    return;
  }
  auto reader = log_.reader(from);
  if (!reader) {
    return;
  }
  const auto batch = (*reader)->read({.events_max = 1});
  if (batch && !batch->events.empty()) {
    const std::int64_t age_us = clock_.now().unix_us - batch->events.front().time.unix_us;
    status.lag_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(age_us, 0)) / 1'000'000;
  }
}

GroupStatus GroupRegistryImpl::status_of(const std::string& name) const {
  GroupStatus status;
  status.group = name;
  status.dead_letters = letters_->count(name);
  const std::optional<Offset> committed = log_.group_offsets().committed(name);
  {
    const MutexLock lock(mutex_);
    const auto found = groups_.find(name);
    const Group group = found == groups_.end() ? Group{} : found->second;
    status.committed = committed.value_or(group.first_start.value_or(log_.first()));
    status.state = group.member ? group.progress.state : GroupState::idle;
    status.problem = group.progress.problem;
    status.attempts = group.progress.attempts;
    status.members = group.member ? 1 : group.on_change.size();
    if (!group.on_change.empty()) {
      status.state = GroupState::running;
    }
    if (!group.commit_problem.empty()) {
      status.state = GroupState::failed;
      status.problem = group.commit_problem;
    }
  }
  add_lag(status);
  return status;
}

GroupStatus GroupRegistryImpl::live_status(const std::string& name,
                                           const GroupRegistry::LiveView& view) const {
  GroupStatus status;
  status.group = name;
  status.kind = GroupKind::live;
  status.state = view.problem.empty() ? GroupState::running : GroupState::retrying;
  status.problem = view.problem;
  status.committed = view.position;
  status.members = 1;
  add_lag(status);
  return status;
}

std::vector<GroupStatus> GroupRegistryImpl::list() const {
  std::set<std::string, std::less<>> durable;
  std::map<std::string, std::function<GroupRegistry::LiveView()>, std::less<>> live;
  {
    const MutexLock lock(mutex_);
    durable = names();
    live = live_;
  }
  std::vector<GroupStatus> statuses;
  for (const std::string& name : durable) {
    statuses.push_back(status_of(name));
  }
  for (const auto& [name, view] : live) {
    statuses.push_back(live_status(name, view()));
  }
  std::ranges::sort(statuses, {}, &GroupStatus::group);
  return statuses;
}

Result<GroupStatus> GroupRegistryImpl::find(std::string_view name) const {
  std::function<GroupRegistry::LiveView()> view;
  {
    const MutexLock lock(mutex_);
    if (const auto found = live_.find(name); found != live_.end()) {
      view = found->second;
    } else if (!names().contains(name)) {
      return fail(eventlog::Errc::not_found, fmt::format("group {}", name));
    }
  }
  return view ? live_status(std::string(name), view()) : status_of(std::string(name));
}

GroupRegistry::GroupRegistry(std::unique_ptr<GroupRegistryImpl> impl) : impl_(std::move(impl)) {}
GroupRegistry::~GroupRegistry() = default;

Result<std::unique_ptr<GroupRegistry>> GroupRegistry::open(EventLog& log, Options options) {
  io::FileSystem& files =
      options.file_system != nullptr ? *options.file_system : io::posix_file_system();
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock();
  VIBES_TRY_ASSIGN(letters, DeadLetters::open(std::move(options.dead_letters_directory), files));
  return std::unique_ptr<GroupRegistry>(
      new GroupRegistry(std::make_unique<GroupRegistryImpl>(log, clock, std::move(letters))));
}

Result<std::unique_ptr<Membership>> GroupRegistry::join(std::string_view group,
                                                        FirstStart first_start,
                                                        std::function<void()> on_move) {
  VIBES_TRY_ASSIGN(start, impl_->take_for_member(group, first_start, std::move(on_move)));
  return make_membership(*impl_, std::string(group), start);
}

Result<std::unique_ptr<SharedMembership>> GroupRegistry::share(std::string_view group,
                                                               FirstStart first_start,
                                                               std::function<void()> on_change) {
  VIBES_TRY_ASSIGN(shared, impl_->share(group, first_start, std::move(on_change)));
  return make_shared_membership(*impl_, std::string(group), shared);
}

void GroupRegistry::add_live(std::string group, std::function<LiveView()> view) {
  impl_->add_live(std::move(group), std::move(view));
}

std::vector<GroupStatus> GroupRegistry::list() const { return impl_->list(); }

Result<GroupStatus> GroupRegistry::find(std::string_view group) const { return impl_->find(group); }

Result<GroupStatus> GroupRegistry::seek(std::string_view group,
                                        const eventlog::Position& position) {
  VIBES_TRY_ASSIGN(target, impl_->log().resolve(position));
  VIBES_TRY_ASSIGN(by_member, impl_->ask_to_move(group, target));
  if (by_member) {
    return impl_->find(group);
  }
  VIBES_TRY(impl_->take(group));
  auto moved =
      impl_->queue().push_and_wait({std::string(group), Work::Kind::commit, target, {}, 0, {}});
  impl_->release(group);
  VIBES_TRY(std::move(moved));
  return impl_->find(group);
}

Result<GroupStatus> GroupRegistry::reset(std::string_view group) {
  VIBES_TRY(impl_->find(group));
  VIBES_TRY(seek(group, eventlog::Beginning{}));
  VIBES_TRY(impl_->queue().push_and_wait(
      {std::string(group), Work::Kind::forget_letters, {}, {}, 0, {}}));
  return impl_->find(group);
}

Result<void> GroupRegistry::remove(std::string_view group) {
  if (!impl_->is_known(group)) {
    return fail(eventlog::Errc::not_found, fmt::format("group {}", group));
  }
  VIBES_TRY(impl_->take(group));
  auto removed =
      impl_->queue().push_and_wait({std::string(group), Work::Kind::remove, {}, {}, 0, {}});
  impl_->release(group);
  VIBES_TRY(std::move(removed));
  return {};
}

Result<std::string> GroupRegistry::dead_letters(std::string_view group) const {
  if (!impl_->is_known(group)) {
    return fail(eventlog::Errc::not_found, fmt::format("group {}", group));
  }
  return impl_->letters().newest(group, limits::kDeadLetterPageBytes);
}

}  // namespace vibes::consumers
