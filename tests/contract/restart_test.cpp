// SPDX-License-Identifier: MIT
#include "contract/harness.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::test;

// For every engine that survives a restart.

TEST_CASE("EventLog contract: a restart keeps the log and goes on where it ended",
          "[eventlog][contract]") {
  Engine engine(any_lasting_engine());
  const Uuid id = engine.log().log_id();
  std::vector<Seen> before;
  for (std::uint64_t round = 0; round < 4; ++round) {
    CHECK(engine.log().log_id() == id);
    CHECK(engine.log().end() == Offset(round * 500));
    CHECK(read_all(engine.log()) == before);
    append_numbered(engine.log(), round * 500, (round + 1) * 500);
    before = read_all(engine.log());
    engine.restart();
  }
  for (std::size_t i = 1; i < before.size(); ++i) {
    REQUIRE(before[i - 1].event_id < before[i].event_id);
  }
}

TEST_CASE("EventLog contract: ids are known after a restart too", "[eventlog][contract]") {
  Engine engine(any_lasting_engine());
  std::vector<event::NewEvent> events;
  for (std::uint64_t i = 0; i < 300; ++i) {
    events.push_back(with_id(numbered(i), random_uuid()));
  }
  REQUIRE(append(engine.log(), events));
  engine.restart();
  const auto again = append(engine.log(), events);
  REQUIRE(again);
  CHECK(again->duplicates() == 300);
  for (std::uint64_t i = 0; i < 300; ++i) {
    REQUIRE(again->places[i].offset == Offset(i));
  }
  CHECK(engine.log().end() == Offset(300));
  const auto other = append(engine.log(), {with_id(numbered(999), *events[299].event_id)});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::event_id_conflict);
}

TEST_CASE("EventLog contract: an assigned id can be sent again", "[eventlog][contract]") {
  Engine engine(any_engine());
  const auto first = append(engine.log(), {numbered(1)});
  REQUIRE(first);
  const auto again = append(engine.log(), {with_id(numbered(1), first->places[0].event_id)});
  REQUIRE(again);
  CHECK(again->places[0].duplicate);
  CHECK(again->places[0].offset == Offset(0));
}
