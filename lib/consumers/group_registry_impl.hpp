// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.hpp"
#include "consumers/commit_queue.hpp"
#include "consumers/dead_letters.hpp"
#include "consumers/group_registry.hpp"

namespace vibes::consumers {

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

}  // namespace vibes::consumers
