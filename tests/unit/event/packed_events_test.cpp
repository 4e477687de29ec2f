// SPDX-License-Identifier: MIT
#include "event/packed_events.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "event/check.hpp"
#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;

namespace {

Uuid id_of(std::uint8_t number) {
  Uuid id;
  id.bytes.back() = number;
  return id;
}

/// Each of another length, some parts empty, some with an id.
std::vector<NewEvent> some_events() {
  std::vector<NewEvent> events;
  for (std::size_t i = 0; i < 50; ++i) {
    NewEvent event{std::string(i * 7, 'p'), "type-" + std::to_string(i), std::string(i % 5, 's'),
                   std::nullopt};
    if (i % 3 == 0) {
      event.event_id = id_of(static_cast<std::uint8_t>(i + 1));
    }
    events.push_back(event);
  }
  return events;
}

PackedEvents packed(const std::vector<NewEvent>& events) {
  PackedEvents made;
  for (const NewEvent& event : events) {
    made.add(view_of(event));
  }
  return made;
}

void check_same(const PackedEvents& events, const std::vector<NewEvent>& expected,
                std::size_t first) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    REQUIRE(first + i < expected.size());
    const NewEvent& wanted = expected[first + i];
    CHECK(events[i].payload == wanted.payload);
    CHECK(events[i].type == wanted.type);
    CHECK(events[i].session == wanted.session);
    CHECK(events[i].event_id == wanted.event_id);
  }
}

}  // namespace

TEST_CASE("PackedEvents: what is added is there as it was", "[event]") {
  const std::vector<NewEvent> events = some_events();
  const PackedEvents all = packed(events);
  CHECK(all.size() == events.size());
  check_same(all, events, 0);
  const PackedSlice slice = all.slice(10, 3);
  CHECK(slice.size() == 3);
  CHECK(slice[2].type == "type-12");
  CHECK(all.slice(4, 0).empty());
}

TEST_CASE("PackedEvents: what is taken from the front is gone, and nothing else", "[event]") {
  const std::vector<NewEvent> events = some_events();
  for (const std::size_t count : {0U, 1U, 20U, 49U, 50U, 60U}) {
    PackedEvents rest = packed(events);
    const PackedEvents front = rest.take_front(count);
    const std::size_t taken = std::min<std::size_t>(count, events.size());
    REQUIRE(front.size() == taken);
    REQUIRE(rest.size() == events.size() - taken);
    check_same(front, events, 0);
    check_same(rest, events, taken);
    rest.add(view_of(events[7]));
    CHECK(rest[rest.size() - 1].payload == events[7].payload);
  }
}

TEST_CASE("PackedEvents: what is dropped from the back leaves no bytes", "[event]") {
  const std::vector<NewEvent> events = some_events();
  PackedEvents all = packed(events);
  all.truncate(60);
  CHECK(all.size() == events.size());
  all.truncate(20);
  check_same(all, events, 0);
  CHECK(all.size() == 20);
  CHECK(all.bytes() == packed({events.begin(), events.begin() + 20}).bytes());
  all.truncate(0);
  CHECK(all.empty());
  CHECK(all.bytes() == 0);
}

TEST_CASE("PackedEvents: an event can be named later", "[event]") {
  PackedEvents events = packed(some_events());
  REQUIRE_FALSE(events[1].event_id);
  events.set_event_id(1, id_of(200));
  CHECK(events[1].event_id == id_of(200));
  CHECK_FALSE(events[2].event_id);
}

TEST_CASE("check_into: a refused event leaves nothing behind", "[event]") {
  PackedEvents events;
  REQUIRE(check_into(events, R"( {"type":"a","session_id":"s"} )"));
  const std::size_t bytes = events.bytes();
  for (const char* bad :
       {"", "7", R"({"type":""})", R"({"type":"b","session_id":1})", R"({"type":"b","type":"c"})",
        R"({"type":"hook"})", R"({"type":"b","event_id":"x"})"}) {
    INFO(bad);
    const auto refused = check_into(events, bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message() == check(bad).error().message());
    CHECK(events.size() == 1);
    CHECK(events.bytes() == bytes);
  }
  REQUIRE(check_into(events, R"({"type":"d","n":123456789012345678901234567890})"));  // slowly
  REQUIRE(events.size() == 2);
  CHECK(events[0].payload == R"({"type":"a","session_id":"s"})");
  CHECK(events[0].session == "s");
  CHECK(events[1].type == "d");
}
