// SPDX-License-Identifier: MIT
#include "consumers/slot_table.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vibes::consumers {

SlotTable::SlotTable(Offset start) {
  for (Slot& slot : slots_) {
    slot.done = start;
    slot.from = start;
  }
}

// --- Who has what

std::optional<SlotTable::MemberId> SlotTable::plan_of(const Slot& slot) {
  return slot.next ? slot.next : slot.owner;
}

void SlotTable::join(MemberId id) {
  const bool alone = members_.empty() && is_even();
  for (auto& [other, member] : members_) {
    member.alone = false;
  }
  members_[id].alone = alone;
  rebalance();
  if (alone) {
    for (Slot& slot : slots_) {
      slot.from = slot.done;
      slot.taken = true;
    }
  }
}

void SlotTable::leave(MemberId id) {
  members_.erase(id);
  for (Slot& slot : slots_) {
    if (slot.next == id) {
      slot.next.reset();
    }
    if (slot.owner == id) {
      release(slot);
    } else if (slot.drain && !slot.next) {
      slot.next = slot.owner;  // what was stopped for the one that left goes back
    }
  }
  rebalance();
}

// Makes the shares equal within one slot, moving as few as that takes.
void SlotTable::rebalance() {
  if (members_.empty()) {
    return;
  }
  std::map<MemberId, std::size_t> shares;
  for (const auto& [id, member] : members_) {
    shares[id] = 0;
  }
  for (const Slot& slot : slots_) {
    if (const auto planned = plan_of(slot)) {
      ++shares[*planned];
    }
  }
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  for (Slot& slot : slots_) {
    if (!plan_of(slot)) {
      const auto least = std::ranges::min_element(shares, less);
      assign(slot, least->first);
      ++least->second;
    }
  }
  for (;;) {
    const auto least = std::ranges::min_element(shares, less);
    const auto most = std::ranges::max_element(shares, less);
    if (most->second <= least->second + 1) {
      return;
    }
    assign(one_to_move(most->first, least->first), least->first);
    --most->second;
    ++least->second;
  }
}

// Rather one that `to` still has, then one that nothing was handed of.
SlotTable::Slot& SlotTable::one_to_move(MemberId from, MemberId to) {
  Slot* found = nullptr;
  int found_rank = -1;
  for (Slot& slot : slots_) {
    const int rank = slot.owner == to ? 2 : (slot.taken ? 0 : 1);
    if (plan_of(slot) == from && rank > found_rank) {
      found = &slot;
      found_rank = rank;
    }
  }
  VIBES_ASSERT(found != nullptr);
  return *found;
}

void SlotTable::assign(Slot& slot, MemberId id) {
  if (slot.owner) {
    notice(*slot.owner);
  }
  if (!slot.owner || !slot.taken) {
    slot.owner = id;
    slot.taken = false;
    slot.next.reset();
  } else if (slot.owner == id && !slot.drain) {
    slot.next.reset();
  } else {
    slot.next = id;
  }
  notice(id);
}

void SlotTable::release(Slot& slot) {
  slot.owner = slot.next;
  slot.taken = false;
  slot.next.reset();
  slot.drain.reset();
  if (slot.owner) {
    notice(*slot.owner);
  }
}

void SlotTable::notice(MemberId id) {
  if (const auto found = members_.find(id); found != members_.end()) {
    found->second.noticed = false;
  }
}

std::vector<SlotTable::MemberId> SlotTable::take_notices() {
  std::vector<MemberId> ids;
  for (auto& [id, member] : members_) {
    if (!member.noticed) {
      member.noticed = true;
      ids.push_back(id);
    }
  }
  return ids;
}

// --- What a member says

SlotTable::Share SlotTable::sync(MemberId id, Place place) {
  Member& member = members_.at(id);
  Share share;
  if (!member.alone) {
    start_drains(id, place);
    settle(id, place);
    take_grants(id, place, share);
  }
  share.members = members_.size();
  share.changed = std::exchange(member.changed, false);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    const bool has = slot.owner == id && slot.taken && !slot.drain;
    share.slots |= has ? Mask{1} << i : Mask{0};
    share.pending = share.pending || (!has && plan_of(slot) == id);
  }
  share.waits = share.waits || (share.slots == 0 && share.pending);
  return share;
}

void SlotTable::start_drains(MemberId id, Place place) {
  for (Slot& slot : slots_) {
    if (slot.owner == id && slot.taken && slot.next && !slot.drain) {
      slot.drain = Drain{place.owed, std::max(place.cursor, slot.from)};
      members_.at(id).changed = true;
    }
  }
}

void SlotTable::settle(MemberId id, Place place) {
  const Offset committed = members_.at(id).committed;
  for (Slot& slot : slots_) {
    if (slot.owner != id || !slot.taken) {
      continue;
    }
    if (slot.drain && committed >= slot.drain->owed) {
      slot.done = std::max(slot.done, slot.drain->limit);
      release(slot);
    } else if (!slot.drain && committed >= place.owed) {
      slot.done = std::max(slot.done, place.cursor);
    }
  }
}

// Slots whose work lies behind the cursor send it back. Commits from before and after that would
// not be told apart, so it goes back only when the member owes none.
void SlotTable::take_grants(MemberId id, Place place, Share& share) {
  Member& member = members_.at(id);
  std::optional<Offset> low;
  bool has_slots = false;
  for (const Slot& slot : slots_) {
    if (slot.owner == id && !slot.taken) {
      low = std::min(low.value_or(slot.done), slot.done);
    }
    has_slots = has_slots || (slot.owner == id && slot.taken);
  }
  if (!low) {
    return;
  }
  const bool goes_back = *low < place.cursor;
  if (goes_back && member.committed < place.owed) {
    share.waits = true;
    return;
  }
  if (goes_back || !has_slots) {
    share.seek = low;
    member.committed = *low;
  }
  for (Slot& slot : slots_) {
    if (slot.owner == id && slot.taken) {
      slot.from = std::max(slot.from, place.cursor);
    } else if (slot.owner == id) {
      slot.from = slot.done;
      slot.taken = true;
    }
  }
  member.changed = true;
}

void SlotTable::commit(MemberId id, Offset next, Place place) {
  Member& member = members_.at(id);
  if (member.alone) {
    member.committed = next;
    for (Slot& slot : slots_) {
      slot.done = next;
    }
    return;
  }
  if (next > place.cursor) {
    return;
  }
  member.committed = std::max(member.committed, next);
  for (Slot& slot : slots_) {
    if (slot.owner == id && slot.taken) {
      const Offset up_to = slot.drain ? std::min(next, slot.drain->limit) : next;
      slot.done = std::max(slot.done, up_to);
    }
  }
  settle(id, place);
}

// --- What there is to know

SlotTable::Segment SlotTable::segment(MemberId id, Offset cursor) const {
  if (members_.at(id).alone) {
    return {};
  }
  Segment segment{0, std::nullopt};
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.owner != id || !slot.taken || slot.drain) {
      continue;
    }
    if (slot.from <= cursor) {
      segment.slots |= Mask{1} << i;
    } else {
      segment.until = std::min(segment.until.value_or(slot.from), slot.from);
    }
  }
  return segment;
}

Offset SlotTable::group_commit() const {
  return std::ranges::min_element(slots_, {}, &Slot::done)->done;
}

bool SlotTable::is_even() const {
  return std::ranges::all_of(slots_,
                             [this](const Slot& slot) { return slot.done == slots_[0].done; });
}

bool SlotTable::holds_others_back(MemberId id, Place place) const {
  return members_.size() > 1 && members_.at(id).committed < place.owed;
}

}  // namespace vibes::consumers
