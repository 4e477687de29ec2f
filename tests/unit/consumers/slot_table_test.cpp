// SPDX-License-Identifier: MIT
#include "consumers/slot_table.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::consumers;

namespace {

using Place = SlotTable::Place;

Place at(std::uint64_t cursor, std::uint64_t owed) { return {Offset(cursor), Offset(owed)}; }
int count(SlotTable::Mask slots) { return std::popcount(slots); }

}  // namespace

TEST_CASE("SlotTable: the first member has everything and commits as it likes", "[consumers]") {
  SlotTable table(Offset(5));
  table.join(1);
  CHECK(count(table.sync(1, at(5, 0)).slots) == 64);
  CHECK_FALSE(table.sync(1, at(5, 0)).changed);
  CHECK(table.segment(1, Offset(5)).slots == SlotTable::kAllSlots);
  CHECK(table.group_commit() == Offset(5));
  table.commit(1, Offset(9), at(9, 9));
  CHECK(table.group_commit() == Offset(9));
  table.commit(1, Offset(7), at(9, 9));
  CHECK(table.group_commit() == Offset(7));
  table.sync(1, at(20, 0));
  CHECK(table.group_commit() == Offset(7));  // nobody said that they are done
}

TEST_CASE("SlotTable: a slot leaves a live owner when it has committed what it was handed",
          "[consumers]") {
  SlotTable table(Offset(0));
  table.join(1);
  table.sync(1, at(10, 10));
  table.join(2);
  CHECK(table.sync(2, at(0, 0)).waits);
  CHECK(count(table.sync(1, at(10, 10)).slots) == 32);
  CHECK(table.sync(2, at(0, 0)).waits);
  table.commit(1, Offset(9), at(10, 10));
  CHECK(table.sync(2, at(0, 0)).waits);
  table.commit(1, Offset(10), at(10, 10));
  const auto share = table.sync(2, at(0, 0));
  CHECK(count(share.slots) == 32);
  CHECK(share.seek == Offset(10));
  CHECK(share.changed);
  CHECK_FALSE(share.pending);
  CHECK(table.group_commit() == Offset(10));
}

TEST_CASE("SlotTable: a slot leaves a dead owner at once, from where it was done", "[consumers]") {
  SlotTable table(Offset(0));
  table.join(1);
  table.join(2);
  table.sync(1, at(0, 0));
  table.sync(2, at(0, 0));
  table.commit(1, Offset(4), at(10, 10));
  table.sync(2, at(10, 9));
  table.commit(2, Offset(9), at(10, 9));
  table.leave(1);
  const auto share = table.sync(2, at(10, 9));
  CHECK(count(share.slots) == 64);
  CHECK(share.seek == Offset(4));
  CHECK(count(table.segment(2, Offset(4)).slots) == 32);
  CHECK(table.segment(2, Offset(4)).until == Offset(10));
  CHECK(count(table.segment(2, Offset(10)).slots) == 64);
}

TEST_CASE("SlotTable: a cursor does not go back over what its member still owes", "[consumers]") {
  SlotTable table(Offset(0));
  table.join(1);
  table.join(2);
  table.sync(1, at(0, 0));
  table.sync(2, at(0, 0));
  table.leave(1);
  CHECK(table.sync(2, at(10, 9)).waits);
  table.commit(2, Offset(8), at(10, 9));
  CHECK(table.sync(2, at(10, 9)).waits);
  table.commit(2, Offset(9), at(10, 9));
  CHECK(table.sync(2, at(10, 9)).seek == Offset(0));
  // A commit that was meant for the place before is none of this one.
  table.commit(2, Offset(9), at(3, 2));
  CHECK(table.group_commit() == Offset(0));
}

TEST_CASE("SlotTable: shares are equal within one slot and move as little as that takes",
          "[consumers]") {
  SlotTable table(Offset(0));
  std::vector<SlotTable::Mask> before;
  for (std::uint64_t members = 1; members <= 70; ++members) {
    table.join(members);
    std::vector<SlotTable::Mask> now;
    for (int round = 0; round < 2; ++round) {
      now.clear();
      for (std::uint64_t id = 1; id <= members; ++id) {
        now.push_back(table.sync(id, at(0, 0)).slots);
      }
    }
    SlotTable::Mask all = 0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      CHECK((all & now[i]) == 0);
      all |= now[i];
      const auto share = 64 / static_cast<int>(members);
      CHECK((count(now[i]) == share || count(now[i]) == share + 1));
      if (i < before.size()) {
        CHECK((now[i] & ~before[i]) == 0);  // only the new one gains
      }
    }
    CHECK(all == SlotTable::kAllSlots);
    before = now;
  }
}

TEST_CASE("SlotTable: a member that has done all it was handed does not hold the group back",
          "[consumers]") {
  SlotTable table(Offset(0));
  table.join(1);
  table.join(2);
  table.sync(1, at(0, 0));
  table.sync(2, at(0, 0));
  table.sync(1, at(100, 0));
  CHECK_FALSE(table.holds_others_back(1, at(100, 0)));
  table.sync(2, at(100, 90));
  CHECK(table.holds_others_back(2, at(100, 90)));
  CHECK(table.group_commit() == Offset(0));
  table.commit(2, Offset(90), at(100, 90));
  CHECK(table.group_commit() == Offset(100));
}

TEST_CASE("SlotTable: who is to sync is told once", "[consumers]") {
  SlotTable table(Offset(0));
  table.join(1);
  (void)table.take_notices();
  table.join(2);
  CHECK(table.take_notices() == std::vector<SlotTable::MemberId>{1, 2});
  CHECK(table.take_notices().empty());
  table.sync(1, at(0, 0));
  CHECK(table.take_notices() == std::vector<SlotTable::MemberId>{2});
}

namespace {

/// A group whose members do what they are told, and everything that must hold while they do.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {}

  void play() {
    for (int step = 0; step < 600; ++step) {
      act();
      check_group_commit();
    }
    finish();
  }

 private:
  struct Worker {
    Offset cursor;
    Offset owed;
    std::deque<std::uint64_t> in_hand;
    std::map<std::size_t, std::uint64_t> last_of_slot;
  };
  enum class State : std::uint8_t { waiting, in_hand, done };

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void act() {
    const auto what = below(100);
    if (what < 15) {
      for (auto n = below(10); n > 0; --n) {
        slots_.push_back(below(64));
        states_.push_back(State::waiting);
      }
    } else if (what < 20 && workers_.size() < 6) {
      join();
    } else if (workers_.empty()) {
      return;
    } else if (what < 24) {
      die(pick());
    } else if (what < 65) {
      hand(pick());
    } else {
      commit(pick());
    }
  }

  std::uint64_t pick() {
    return std::next(workers_.begin(), static_cast<std::ptrdiff_t>(below(workers_.size())))->first;
  }
  Place place(const Worker& worker) { return {worker.cursor, worker.owed}; }

  void join() {
    table_.join(++last_id_);
    workers_[last_id_].cursor = table_.group_commit();
    sync(last_id_);
  }

  SlotTable::Share sync(std::uint64_t id) {
    Worker& worker = workers_.at(id);
    auto share = table_.sync(id, place(worker));
    if (share.seek) {
      if (*share.seek < worker.cursor) {
        REQUIRE(worker.in_hand.empty());
      }
      worker.cursor = *share.seek;
      worker.owed = std::min(worker.owed, worker.cursor);
    }
    return share;
  }

  void hand(std::uint64_t id) {
    if (sync(id).waits) {
      return;
    }
    Worker& worker = workers_.at(id);
    for (auto n = 1 + below(8); n > 0 && worker.cursor.value() < slots_.size(); --n) {
      const auto segment = table_.segment(id, worker.cursor);
      const auto event = worker.cursor.value();
      if ((segment.slots >> slots_[event] & 1U) != 0) {
        REQUIRE(states_[event] == State::waiting);  // neither done nor another's
        states_[event] = State::in_hand;
        const auto last = worker.last_of_slot.find(slots_[event]);
        REQUIRE((last == worker.last_of_slot.end() || last->second < event));
        worker.last_of_slot[slots_[event]] = event;
        worker.in_hand.push_back(event);
        worker.owed = Offset(event + 1);
      }
      ++worker.cursor;
    }
    sync(id);
  }

  void commit(std::uint64_t id) {
    Worker& worker = workers_.at(id);
    if (worker.in_hand.empty()) {
      return;
    }
    std::uint64_t last = 0;
    for (auto n = 1 + below(worker.in_hand.size()); n > 0; --n) {
      last = worker.in_hand.front();
      worker.in_hand.pop_front();
      states_[last] = State::done;
    }
    table_.commit(id, Offset(last + 1), place(worker));
    sync(id);
  }

  void die(std::uint64_t id) {
    for (const auto event : workers_.at(id).in_hand) {
      states_[event] = State::waiting;
    }
    workers_.erase(id);
    table_.leave(id);
  }

  void check_group_commit() {
    const auto committed = table_.group_commit().value();
    REQUIRE(committed <= states_.size());
    REQUIRE(std::all_of(states_.begin(), states_.begin() + static_cast<std::ptrdiff_t>(committed),
                        [](State state) { return state == State::done; }));
  }

  void finish() {
    join();
    const auto is_done = [this] {
      return std::ranges::count(states_, State::done) == std::ssize(states_) &&
             std::ranges::all_of(workers_,
                                 [](const auto& entry) { return entry.second.in_hand.empty(); });
    };
    for (int round = 0; round < 2'000 && !is_done(); ++round) {
      for (const auto& [id, worker] : workers_) {
        hand(id);
        commit(id);
      }
    }
    CHECK(is_done());
    check_group_commit();
  }

  std::mt19937 random_;
  SlotTable table_{Offset(0)};
  std::map<std::uint64_t, Worker> workers_;
  std::vector<std::size_t> slots_;
  std::vector<State> states_;
  std::uint64_t last_id_ = 0;
};

}  // namespace

TEST_CASE("SlotTable: whoever comes, goes, dies and commits, every event is done once and in order",
          "[consumers]") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Model(seed).play();
  }
}
