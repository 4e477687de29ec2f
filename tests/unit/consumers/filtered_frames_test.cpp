// SPDX-License-Identifier: MIT
#include "consumers/filtered_frames.hpp"

#include <string>

#include "consumers/past_frames.hpp"
#include "support/catch.hpp"
#include "support/test_log.hpp"

using namespace vibes;
using consumers::Burst;
using consumers::BurstRequest;
using consumers::FilteredFrames;

namespace {

event::Filter types(std::string_view list) { return *event::Filter::parse(list, std::nullopt); }

/// A log of which every second event is a hook, and whoever asks for some of it.
struct Crowd {
  static constexpr std::uint64_t kEvents = 800;

  test::TestLog events;
  consumers::PastFrames past;
  FilteredFrames filtered;
  Offset end;

  explicit Crowd(std::size_t event_bytes = 300, std::uint64_t count = kEvents) : end(count) {
    for (std::uint64_t i = 0; i < count / 2; ++i) {
      events.append_many(1, "note", "s", event_bytes);
      events.append_many(1, "hook", "s", event_bytes);
    }
    for (Offset at(0); at < end;) {
      const auto reader = *events.log().reader(at);
      const auto batch = reader->read({.bytes_max = limits::kWriteChunkBytes});
      at = past.keep(batch->events, 2)->end();
    }
  }

  /// As a client does it: what is held, or what is there.
  Burst ask(const event::Filter& filter, Offset from, std::string& scratch) {
    const BurstRequest request{.from = from, .filter = &filter};
    if (auto held = filtered.find(request, end)) {
      return *std::move(held);
    }
    auto burst = past.collect(request, scratch);
    REQUIRE(burst);
    filtered.note(request, *burst);
    return *std::move(burst);
  }
  bool holds(const event::Filter& filter, Offset from) {
    return filtered.find({.from = from, .filter = &filter}, end).has_value();
  }
  void keep(const event::Filter& filter, Offset from) {
    std::string scratch;
    (void)ask(filter, from, scratch);
    (void)ask(filter, from, scratch);
  }
};

}  // namespace

TEST_CASE("FilteredFrames: from the third on clients are given what the second was",
          "[consumers][filtered]") {
  Crowd crowd;
  std::string first_scratch;
  std::string second_scratch;
  std::string third_scratch;
  const Burst first = crowd.ask(types("hook"), Offset(10), first_scratch);
  CHECK_FALSE(crowd.holds(types("hook"), Offset(10)));
  const Burst second = crowd.ask(types("hook"), Offset(10), second_scratch);
  const Burst third = crowd.ask(types(" HOOK"), Offset(10), third_scratch);

  CHECK(first.bytes.size() > limits::kWriteChunkBytes / 2);
  CHECK(second.bytes == first.bytes);
  CHECK(third.bytes.data() == second.bytes.data());
  CHECK(third_scratch.empty());
  for (const Burst& burst : {second, third}) {
    CHECK(burst.events == first.events);
    CHECK(burst.next == first.next);
    CHECK(burst.last_end == first.last_end);
    CHECK(burst.cursor_check == first.cursor_check);
    CHECK(burst.memory->place(burst.bytes));
  }
}

TEST_CASE("FilteredFrames: another filter and another place are others' bursts",
          "[consumers][filtered]") {
  Crowd crowd;
  crowd.keep(types("hook"), Offset(10));
  CHECK(crowd.holds(types("hook"), Offset(10)));
  CHECK_FALSE(crowd.holds(types("note"), Offset(10)));
  CHECK_FALSE(crowd.holds(types("hook,note"), Offset(10)));
  CHECK_FALSE(crowd.holds(*event::Filter::parse("hook", "s"), Offset(10)));
  CHECK_FALSE(crowd.holds(types("hook"), Offset(11)));
  auto slots = types("hook");
  slots.keep_slots(1);
  CHECK_FALSE(crowd.holds(slots, Offset(10)));
}

TEST_CASE("FilteredFrames: a short burst is given where there is no more, and only there",
          "[consumers][filtered]") {
  Crowd crowd;
  const Offset from(Crowd::kEvents - 4);
  crowd.keep(types("hook"), from);
  CHECK(crowd.holds(types("hook"), from));
  crowd.end = Offset(Crowd::kEvents + 1);
  CHECK_FALSE(crowd.holds(types("hook"), from));
  crowd.end = Offset(Crowd::kEvents);
  crowd.keep(types("session.stalled"), from);  // matches nothing, which is worth knowing too
  CHECK(crowd.holds(types("session.stalled"), from));
}

TEST_CASE("FilteredFrames: it is bounded, and what was used longest ago goes first",
          "[consumers][filtered]") {
  Crowd crowd;
  for (std::uint64_t i = 0; i < limits::kFilteredBurstsMax; ++i) {
    crowd.keep(types("hook"), Offset(i));
  }
  CHECK(crowd.holds(types("hook"), Offset(0)));  // a use
  crowd.keep(types("hook"), Offset(limits::kFilteredBurstsMax));
  CHECK(crowd.holds(types("hook"), Offset(limits::kFilteredBurstsMax)));
  CHECK_FALSE(crowd.holds(types("hook"), Offset(1)));
  CHECK(crowd.holds(types("hook"), Offset(0)));
}

TEST_CASE("FilteredFrames: an event larger than a block is given to all", "[consumers][filtered]") {
  Crowd crowd(2 * limits::kWriteChunkBytes, 4);
  crowd.keep(types("hook"), Offset(0));
  std::string scratch;
  const Burst burst = crowd.ask(types("hook"), Offset(0), scratch);
  CHECK(burst.events == 1);
  CHECK(burst.bytes.size() > 2 * limits::kWriteChunkBytes);
  CHECK_FALSE(burst.memory->place(burst.bytes));
}

TEST_CASE("FilteredFrames: it serves frames, with a filter, to the end of the log",
          "[consumers][filtered]") {
  const event::Filter hooks = types("hook");
  const event::Filter all;
  CHECK(FilteredFrames::serves({.from = Offset(0), .filter = &hooks}));
  CHECK_FALSE(FilteredFrames::serves({.from = Offset(0), .filter = &all}));
  CHECK_FALSE(FilteredFrames::serves({.from = Offset(0)}));
  CHECK_FALSE(FilteredFrames::serves({.from = Offset(0), .until = Offset(9), .filter = &hooks}));
  CHECK_FALSE(FilteredFrames::serves(
      {.from = Offset(0), .filter = &hooks, .shape = consumers::BurstShape::envelopes}));
}
