// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/limits.hpp"
#include "base/offset.hpp"

namespace vibes::consumers {

/// How the members of one group share its work (docs/design/0006-shared-groups.md). The work is cut
/// into limits::kGroupSlots slots by session. A slot has one owner at most and `done`: everything
/// of it before that offset is done. It leaves a live owner only when that owner has committed all
/// that it was handed of it, and a dead one at once.
///
/// Knows nothing of logs, connections or time. One thread at a time.
class SlotTable {
 public:
  using MemberId = std::uint64_t;
  /// A bit for each slot.
  using Mask = std::uint64_t;
  static_assert(limits::kGroupSlots == 64, "Mask has a bit for each slot");
  static constexpr Mask kAllSlots = ~Mask{0};

  /// How far a member has been served.
  struct Place {
    Offset cursor;  // everything of its slots before it was handed to the member, or did not match
    Offset owed;    // behind the last event that was handed to it
  };

  /// What a member has after sync().
  struct Share {
    Mask slots = 0;
    std::size_t members = 0;
    bool changed = false;        // its slots, by this sync()
    std::optional<Offset> seek;  // its cursor is to go there before anything is handed to it
    bool waits = false;          // it is to be handed nothing now
    bool pending = false;        // more slots will be its own
  };

  /// What may be handed to a member at its cursor.
  struct Segment {
    Mask slots = kAllSlots;
    std::optional<Offset> until;  // from here on it is another set
  };

  /// A group whose events before `start` are done.
  explicit SlotTable(Offset start);

  /// The first member has all slots at once; a later one gets its share by sync().
  void join(MemberId id);
  /// The member is gone; what it had not committed is done by others.
  void leave(MemberId id);
  /// To be called before anything is handed to the member and after, with where it stands.
  Share sync(MemberId id, Place place);
  /// The member has done everything before `next` that it was handed. What it cannot have been
  /// handed is not taken: such a commit was meant for an earlier place.
  void commit(MemberId id, Offset next, Place place);

  [[nodiscard]] Segment segment(MemberId id, Offset cursor) const;
  /// Everything before it is done.
  [[nodiscard]] Offset group_commit() const;
  /// Whether group_commit() says all that there is to know.
  [[nodiscard]] bool is_even() const;
  [[nodiscard]] std::size_t members() const { return members_.size(); }
  /// Whether the member owes commits while others are there.
  [[nodiscard]] bool holds_others_back(MemberId id, Place place) const;
  /// The members for whom something has changed since the last call: they are to sync().
  [[nodiscard]] std::vector<MemberId> take_notices();

 private:
  struct Drain {
    Offset owed;   // when the owner has committed this, the slot is free
    Offset limit;  // and everything of it before this is done
  };
  struct Slot {
    Offset done;
    Offset from;                    // where the owner's share of it begins
    std::optional<MemberId> owner;  // the lease
    bool taken = false;             // the owner knows
    std::optional<MemberId> next;   // who is to have it after the owner
    std::optional<Drain> drain;     // the owner is handed nothing more of it
  };
  struct Member {
    Offset committed;
    bool alone = false;  // from its beginning on: its commits are the group's, back and forth
    bool changed = false;
    bool noticed = true;
  };

  static std::optional<MemberId> plan_of(const Slot& slot);
  void rebalance();
  void assign(Slot& slot, MemberId id);
  Slot& one_to_move(MemberId from, MemberId to);
  void release(Slot& slot);
  void notice(MemberId id);
  void start_drains(MemberId id, Place place);
  void settle(MemberId id, Place place);
  void take_grants(MemberId id, Place place, Share& share);

  std::array<Slot, limits::kGroupSlots> slots_;
  std::map<MemberId, Member> members_;
};

}  // namespace vibes::consumers
