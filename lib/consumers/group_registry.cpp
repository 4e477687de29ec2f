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
#include "base/mutex.hpp"
#include "consumers/commit_queue.hpp"
#include "consumers/dead_letters.hpp"
#include "consumers/errc.hpp"
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

using eventlog::EventLog;
using Work = CommitQueue::Work;

/// What is known about a durable group beyond its committed offset.
struct Group {
  bool taken = false;  // has its member, or is being moved or removed
  bool member = false;
  Membership::Progress progress;
  std::optional<Offset> first_start;  // until its first commit is durable
  std::string commit_problem;         // why the last commit failed
  std::function<void()> on_move;      // of a member that takes moves
  std::optional<Offset> wanted_move;

  // Of a group whose members share it; the table outlives them while it knows more than a commit.
  std::optional<SlotTable> table;
  std::map<SlotTable::MemberId, std::function<void()>> on_change;
  std::optional<Offset> pushed;  // of the table's commit, what the queue was last given
  bool pushing = false;          // by no member's wish; one at a time

  /// Why a dead letter could not be kept: until one can be, or all members have left, no commit
  /// goes past its event.
  std::optional<Error> lost_letter;
};

}  // namespace

/// What the registry and its memberships share. Work on the disk is done by `queue_`'s thread only.
class GroupRegistryImpl {
 public:
  GroupRegistryImpl(EventLog& log, const Clock& clock, std::unique_ptr<DeadLetters> letters)
      : log_(log),
        clock_(clock),
        letters_(std::move(letters)),
        queue_([this](const Work& work) { return carry_out(work); }) {}

  Result<Offset> take_for_member(std::string_view name, FirstStart first_start,
                                 std::function<void()> on_move);
  Result<void> take(std::string_view name);

  struct Shared {
    SlotTable::MemberId id = 0;
    Offset start;
  };
  Result<Shared> share(std::string_view name, FirstStart first_start,
                       std::function<void()> on_change);
  void leave(std::string_view name, SlotTable::MemberId id);
  SlotTable::Share sync(std::string_view name, SlotTable::MemberId id, SlotTable::Place place);
  SlotTable::Segment segment(std::string_view name, SlotTable::MemberId id, Offset cursor) const;
  bool holds_others_back(std::string_view name, SlotTable::MemberId id,
                         SlotTable::Place place) const;
  Result<void> commit_share(Work work, SlotTable::MemberId id, SlotTable::Place place);
  void release(std::string_view name);
  void report(std::string_view name, Membership::Progress progress);
  std::optional<Offset> wanted_move(std::string_view name) const;
  Result<Offset> take_move(std::string_view name);
  /// False: the group has no member that takes moves.
  Result<bool> ask_to_move(std::string_view name, Offset target);
  void add_live(std::string name, std::function<GroupRegistry::LiveView()> view);

  Result<void> check(const Work& work) const;
  CommitQueue& queue() { return queue_; }
  EventLog& log() { return log_; }
  const DeadLetters& letters() const { return *letters_; }

  std::vector<GroupStatus> list() const;
  Result<GroupStatus> find(std::string_view name) const;
  bool is_known(std::string_view name) const;

 private:
  Result<void> claim(std::string_view name);
  Result<void> check_new(std::string_view name) const VIBES_REQUIRES(mutex_);
  std::set<std::string, std::less<>> names() const VIBES_REQUIRES(mutex_);
  Group* movable(std::string_view name) VIBES_REQUIRES(mutex_);
  Offset start_of(std::string_view name, Group& group, FirstStart first_start)
      VIBES_REQUIRES(mutex_);
  static void give_notices(Group& group);
  void push_progress(std::string_view name, Group& group) VIBES_REQUIRES(mutex_);
  GroupStatus status_of(const std::string& name) const;
  GroupStatus live_status(const std::string& name, const GroupRegistry::LiveView& view) const;
  void add_lag(GroupStatus& status) const;

  Result<Offset> carry_out(const Work& work);
  Result<Offset> do_work(const Work& work);
  Result<void> check_letters(const Work& work);
  Result<Offset> commit(const std::string& name, Offset next);
  Result<Offset> set_aside(const Work& work);
  Result<Offset> reject(const Work& work);
  Result<Offset> remove(const std::string& name);
  std::optional<Uuid> event_id_at(Offset offset);

  EventLog& log_;
  const Clock& clock_;
  const std::unique_ptr<DeadLetters> letters_;
  mutable Mutex mutex_;
  CondVar moved_;  // a wanted move was made, or its member has left
  std::map<std::string, Group, std::less<>> groups_ VIBES_GUARDED_BY(mutex_);
  std::map<std::string, std::function<GroupRegistry::LiveView()>, std::less<>> live_
      VIBES_GUARDED_BY(mutex_);
  SlotTable::MemberId last_member_ VIBES_GUARDED_BY(mutex_) = 0;
  CommitQueue queue_;  // last: its thread uses everything above
};

namespace {

Unexpected busy(std::string_view name) {
  return fail(Errc::group_busy, fmt::format("group {}", name));
}

/// Lets answers through as long as the membership lives. The lock is held while an answer runs, so
/// that none runs after the end.
struct Gate {
  Mutex mutex;
  bool open VIBES_GUARDED_BY(mutex) = true;
};

Membership::CommitDone gated(std::shared_ptr<Gate> gate, Membership::CommitDone done) {
  return [gate = std::move(gate), done = std::move(done)](Result<Offset> committed) {
    const MutexLock lock(gate->mutex);
    if (gate->open && done) {
      done(std::move(committed));
    }
  };
}

class MembershipImpl final : public Membership {
 public:
  MembershipImpl(GroupRegistryImpl& registry, std::string group, Offset start)
      : registry_(registry), group_(std::move(group)), start_(start) {}
  ~MembershipImpl() override {
    {
      const MutexLock lock(gate_->mutex);
      gate_->open = false;
    }
    registry_.release(group_);
  }

  [[nodiscard]] Offset start() const override { return start_; }

  Result<void> commit(Offset next, CommitDone done) override {
    return push({group_, Work::Kind::commit, next, {}, 0, std::move(done)});
  }
  Result<void> reject(Offset offset, std::string reason, std::uint64_t attempts,
                      CommitDone done) override {
    return push({group_, Work::Kind::reject, offset, std::move(reason), attempts, std::move(done)});
  }
  Result<void> commit_now(Offset next) override {
    return wait({group_, Work::Kind::commit, next, {}, 0, {}});
  }
  Result<void> reject_now(Offset offset, std::string reason, std::uint64_t attempts) override {
    return wait({group_, Work::Kind::reject, offset, std::move(reason), attempts, {}});
  }
  Result<void> set_aside_now(Offset offset, std::string reason, std::uint64_t attempts) override {
    return wait({group_, Work::Kind::set_aside, offset, std::move(reason), attempts, {}});
  }
  void report(Progress progress) override { registry_.report(group_, std::move(progress)); }
  [[nodiscard]] std::optional<Offset> wanted_move() const override {
    return registry_.wanted_move(group_);
  }
  Result<Offset> take_move() override { return registry_.take_move(group_); }

 private:
  Result<void> push(Work work) {
    VIBES_TRY(registry_.check(work));
    work.done = gated(gate_, std::move(work.done));
    return registry_.queue().push(std::move(work));
  }
  Result<void> wait(Work work) {
    VIBES_TRY(registry_.check(work));
    VIBES_TRY(registry_.queue().push_and_wait(std::move(work)));
    return {};
  }

  GroupRegistryImpl& registry_;
  const std::string group_;
  const Offset start_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();  // with answers still to come
};

class SharedMembershipImpl final : public SharedMembership {
 public:
  SharedMembershipImpl(GroupRegistryImpl& registry, std::string group,
                       GroupRegistryImpl::Shared shared)
      : registry_(registry), group_(std::move(group)), shared_(shared) {}
  ~SharedMembershipImpl() override {
    {
      const MutexLock lock(gate_->mutex);
      gate_->open = false;
    }
    registry_.leave(group_, shared_.id);
  }

  [[nodiscard]] Offset start() const override { return shared_.start; }
  SlotTable::Share sync(SlotTable::Place place) override {
    return registry_.sync(group_, shared_.id, place);
  }
  [[nodiscard]] SlotTable::Segment segment(Offset cursor) const override {
    return registry_.segment(group_, shared_.id, cursor);
  }
  [[nodiscard]] bool holds_others_back(SlotTable::Place place) const override {
    return registry_.holds_others_back(group_, shared_.id, place);
  }
  Result<void> commit(Offset next, SlotTable::Place place, Membership::CommitDone done) override {
    return push({group_, Work::Kind::commit, next, {}, 0, gated(gate_, std::move(done))}, place);
  }
  Result<void> reject(Offset offset, SlotTable::Place place, std::string reason,
                      std::uint64_t attempts, Membership::CommitDone done) override {
    return push({group_, Work::Kind::reject, offset, std::move(reason), attempts,
                 gated(gate_, std::move(done))},
                place);
  }

 private:
  Result<void> push(Work work, SlotTable::Place place) {
    VIBES_TRY(registry_.check(work));
    return registry_.commit_share(std::move(work), shared_.id, place);
  }

  GroupRegistryImpl& registry_;
  const std::string group_;
  const GroupRegistryImpl::Shared shared_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();  // with answers still to come
};

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

// --- Groups whose members share them

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
    return busy(name);
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

Result<void> GroupRegistryImpl::check(const Work& work) const {
  const Offset end = log_.end();
  if (work.kind == Work::Kind::commit && work.offset > end) {
    return fail(eventlog::Errc::bad_commit,
                fmt::format("{} is past the end at {}", work.offset.value(), end.value()));
  }
  const bool names_event = work.kind == Work::Kind::reject || work.kind == Work::Kind::set_aside;
  if (names_event && work.offset >= end) {
    return fail(Errc::bad_reject,
                fmt::format("{} is not below the end at {}", work.offset.value(), end.value()));
  }
  return {};
}

Result<void> GroupRegistryImpl::check_letters(const Work& work) {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(work.group);
  const bool lost = found != groups_.end() && found->second.lost_letter;
  return lost && work.kind == Work::Kind::commit ? fail(*found->second.lost_letter)
                                                 : Result<void>();
}

Result<Offset> GroupRegistryImpl::do_work(const Work& work) {
  VIBES_TRY(check_letters(work));
  switch (work.kind) {
    case Work::Kind::commit:
      return commit(work.group, work.offset);
    case Work::Kind::reject:
      return reject(work);
    case Work::Kind::set_aside:
      return set_aside(work);
    case Work::Kind::forget_letters:
      VIBES_TRY(letters_->remove(work.group));
      return log_.group_offsets().committed(work.group).value_or(Offset{});
    case Work::Kind::remove:
      break;
  }
  return remove(work.group);
}

Result<Offset> GroupRegistryImpl::carry_out(const Work& work) {
  auto result = do_work(work);
  const MutexLock lock(mutex_);
  const auto found = groups_.find(work.group);
  if (found != groups_.end()) {
    found->second.commit_problem = result ? std::string() : result.error().message();
    if (work.kind == Work::Kind::set_aside) {
      found->second.lost_letter = result ? std::nullopt : std::optional(result.error());
    }
    const bool committed = work.kind == Work::Kind::commit || work.kind == Work::Kind::reject;
    if (result && committed) {
      found->second.first_start.reset();
    }
  }
  return result;
}

Result<Offset> GroupRegistryImpl::commit(const std::string& name, Offset next) {
  VIBES_TRY(log_.group_offsets().commit(name, next));
  return next;
}

std::optional<Uuid> GroupRegistryImpl::event_id_at(Offset offset) {
  auto reader = log_.reader(offset);
  if (!reader) {
    return std::nullopt;
  }
  const auto batch = (*reader)->read({.events_max = 1});
  return batch && !batch->events.empty() ? std::optional(batch->events.front().event_id)
                                         : std::nullopt;
}

Result<Offset> GroupRegistryImpl::set_aside(const Work& work) {
  VIBES_TRY(letters_->add(work.group, {work.offset, event_id_at(work.offset), work.reason,
                                       work.attempts, clock_.now()}));
  return log_.group_offsets().committed(work.group).value_or(Offset{});
}

Result<Offset> GroupRegistryImpl::reject(const Work& work) {
  VIBES_TRY_ASSIGN(committed, set_aside(work));
  return commit(work.group, std::max(committed, work.offset + 1));
}

Result<Offset> GroupRegistryImpl::remove(const std::string& name) {
  VIBES_TRY(letters_->remove(name));
  if (log_.group_offsets().committed(name)) {
    VIBES_TRY(log_.group_offsets().remove(name));
  }
  const MutexLock lock(mutex_);
  groups_.erase(name);
  return Offset{};
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
  return std::make_unique<MembershipImpl>(*impl_, std::string(group), start);
}

Result<std::unique_ptr<SharedMembership>> GroupRegistry::share(std::string_view group,
                                                               FirstStart first_start,
                                                               std::function<void()> on_change) {
  VIBES_TRY_ASSIGN(shared, impl_->share(group, first_start, std::move(on_change)));
  return std::make_unique<SharedMembershipImpl>(*impl_, std::string(group), shared);
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
