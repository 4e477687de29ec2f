// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/slot_table.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::consumers {

enum class GroupKind : std::uint8_t { live, durable };
/// idle: a durable group without a member. retrying: its handler failed and it will try again.
/// failed: it cannot read or commit, or died, and is to be started again.
enum class GroupState : std::uint8_t { running, retrying, failed, idle };

std::string_view to_string(GroupKind kind);
std::string_view to_string(GroupState state);

/// One line of /api/consumers.
struct GroupStatus {
  std::string group;
  GroupKind kind = GroupKind::durable;
  GroupState state = GroupState::idle;
  std::string problem;  // empty while all is well
  Offset committed;     // the next offset to read; of a live group the next to be handed on
  Offset end;
  std::uint64_t lag = 0;           // events
  std::uint64_t lag_seconds = 0;   // age of the oldest event not yet done; 0 without lag
  std::uint64_t attempts = 0;      // failed tries of the event at `committed` or after it
  std::uint64_t dead_letters = 0;  // events given up, ever
  std::uint64_t members = 0;
};

/// Where a group stands at its very first start; afterwards it resumes from its commit.
enum class FirstStart : std::uint8_t { beginning, end };

class GroupRegistryImpl;

/// A member that has a durable group alone, from join() to its end. One thread at a time.
class Membership {
 public:
  /// Called once, on the registry's thread, with what is now committed. It must be short and must
  /// not end the membership. It does not run once the membership has ended.
  using CommitDone = std::function<void(Result<Offset>)>;

  /// What a member says about itself.
  struct Progress {
    GroupState state = GroupState::running;
    std::uint64_t attempts = 0;
    std::string problem;
  };

  Membership() = default;
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  /// Leaves the group: another may join at once. Commits that were taken are still done.
  virtual ~Membership() = default;

  /// The next offset to read: the commit at the time of joining.
  [[nodiscard]] virtual Offset start() const = 0;

  /// Everything before `next` is done. Never waits for the disk; `done` comes once it is durable.
  /// Commits may go back. Errors (then `done` is not called): bad_commit past the end of the log,
  /// queue_full where over limits::kPendingCommitsMax wait.
  virtual Result<void> commit(Offset next, CommitDone done) = 0;
  /// The event at `offset` cannot be handled: it goes to the dead letters and everything up to it
  /// is done. A reason is cut at limits::kDeadLetterReasonBytesMax. Errors: bad_reject where there
  /// is no such event, queue_full.
  virtual Result<void> reject(Offset offset, std::string reason, std::uint64_t attempts,
                              CommitDone done) = 0;

  /// The same, waiting until it is durable. Not from a net thread.
  virtual Result<void> commit_now(Offset next) = 0;
  virtual Result<void> reject_now(Offset offset, std::string reason, std::uint64_t attempts) = 0;
  /// The event at `offset` goes to the dead letters and nothing is committed. Waits as the others.
  virtual Result<void> set_aside_now(Offset offset, std::string reason, std::uint64_t attempts) = 0;

  virtual void report(Progress progress) = 0;

  /// Where the group is to be moved while this member has it; see GroupRegistry::join().
  [[nodiscard]] virtual std::optional<Offset> wanted_move() const = 0;
  /// Moves it there, durably, and answers whoever wanted it. Waits for the disk. To be called when
  /// the member has nothing in hand; it goes on from there.
  virtual Result<Offset> take_move() = 0;
};

/// One of several members of a durable group that share its work, from share() to its end. One
/// thread at a time. See SlotTable for what the calls mean.
class SharedMembership {
 public:
  SharedMembership() = default;
  SharedMembership(const SharedMembership&) = delete;
  SharedMembership& operator=(const SharedMembership&) = delete;
  /// Leaves the group: what it had not committed goes to the others. Commits that were taken are
  /// still done.
  virtual ~SharedMembership() = default;

  /// The next offset to read.
  [[nodiscard]] virtual Offset start() const = 0;
  virtual SlotTable::Share sync(SlotTable::Place place) = 0;
  [[nodiscard]] virtual SlotTable::Segment segment(Offset cursor) const = 0;
  [[nodiscard]] virtual bool holds_others_back(SlotTable::Place place) const = 0;

  /// The member has done everything before `next` that it was handed. Never waits for the disk;
  /// `done` comes with the group's commit once that is durable, moved or not. Errors as those of
  /// Membership::commit().
  virtual Result<void> commit(Offset next, SlotTable::Place place, Membership::CommitDone done) = 0;
  /// The event at `offset` goes to the dead letters, and everything up to it that the member was
  /// handed is done. Errors as those of Membership::reject().
  virtual Result<void> reject(Offset offset, SlotTable::Place place, std::string reason,
                              std::uint64_t attempts, Membership::CommitDone done) = 0;
};

/// All consumer groups: those with a member in this process, those of clients, and those that are
/// only remembered. Thread-safe. It must outlive its memberships and must not outlive its log.
class GroupRegistry {
 public:
  struct Options {
    /// An absolute path, made if missing; one file per group. Empty: dead letters are kept in
    /// memory.
    std::string dead_letters_directory;
    io::FileSystem* file_system = nullptr;  // nullptr: the machine's
    const Clock* clock = nullptr;           // nullptr: the system's
  };

  /// What a live group says about itself.
  struct LiveView {
    Offset position;
    std::string problem;  // not empty: it is retrying
  };

  /// Errors: the I/O error.
  static Result<std::unique_ptr<GroupRegistry>> open(eventlog::EventLog& log, Options options);
  GroupRegistry(const GroupRegistry&) = delete;
  GroupRegistry& operator=(const GroupRegistry&) = delete;
  /// Finishes the commits that were taken.
  ~GroupRegistry();

  /// Becomes the only member of a group, which is made if it is new. Does not wait for the disk.
  /// Errors: bad_group_name, too_many_groups, group_busy, live_group.
  ///
  /// With `on_move` the group may be moved although it has this member: `on_move` is called, on any
  /// thread and at any time until the membership has ended, and the member calls take_move() soon.
  /// It must be short.
  Result<std::unique_ptr<Membership>> join(std::string_view group, FirstStart first_start,
                                           std::function<void()> on_move = {});

  /// Becomes one of the members that share a group, which is made if it is new. Does not wait for
  /// the disk. `on_change` says that the member is to sync(): on any thread until the membership
  /// has ended; it must be short and must not call the registry. Errors: bad_group_name,
  /// too_many_groups, live_group, group_busy where it is joined or being moved, or has
  /// limits::kGroupMembersMax members.
  Result<std::unique_ptr<SharedMembership>> share(std::string_view group, FirstStart first_start,
                                                  std::function<void()> on_change);

  /// Lists a group without a position of its own, such as `websocket`. `view` is called from any
  /// thread and must stay callable as long as the registry lives.
  void add_live(std::string group, std::function<LiveView()> view);

  /// Sorted by name.
  [[nodiscard]] std::vector<GroupStatus> list() const;
  /// Errors: eventlog::Errc::not_found.
  [[nodiscard]] Result<GroupStatus> find(std::string_view group) const;

  /// Moves a group without member, or with one that takes moves, and makes it if it is new. Waits
  /// for the disk, and for the member to finish what it has in hand, 5 s at most
  /// (group_busy; the move still comes). Errors: bad_group_name, too_many_groups, group_busy,
  /// live_group, those of EventLog::resolve().
  Result<GroupStatus> seek(std::string_view group, const eventlog::Position& position);
  /// Makes the group as it was before its first event: moves it to the beginning and forgets its
  /// dead letters. Errors: not_found, those of seek().
  Result<GroupStatus> reset(std::string_view group);
  /// Forgets a group without member and its dead letters. Waits for the disk. Errors: not_found,
  /// group_busy, live_group.
  Result<void> remove(std::string_view group);

  /// The newest dead letters as NDJSON, oldest first, whole lines, at most
  /// limits::kDeadLetterPageBytes. Errors: not_found, the I/O error.
  [[nodiscard]] Result<std::string> dead_letters(std::string_view group) const;

 private:
  explicit GroupRegistry(std::unique_ptr<GroupRegistryImpl> impl);
  std::unique_ptr<GroupRegistryImpl> impl_;
};

}  // namespace vibes::consumers
