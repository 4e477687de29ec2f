// SPDX-License-Identifier: MIT
#include <thread>

#include "contract/harness.hpp"
#include "event/errc.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::test;

namespace {

Offset resolved(EventLog& log, const Position& position) {
  const auto offset = log.resolve(position);
  if (!offset) {
    FAIL(offset.error().message());
  }
  const auto reader = log.reader(position);
  REQUIRE(reader);
  CHECK((*reader)->position() == *offset);
  return *offset;
}

std::error_code refusal(EventLog& log, const Position& position) {
  const auto offset = log.resolve(position);
  REQUIRE_FALSE(offset);
  const auto reader = log.reader(position);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == offset.error().code);
  return offset.error().code;
}

/// Types a, b, c in turn, in three sessions.
void append_mixed(EventLog& log, std::uint64_t count) {
  static const char* const kTypes[] = {"hook", "mine", "session_created"};
  std::vector<event::NewEvent> batch;
  for (std::uint64_t i = 0; i < count; ++i) {
    batch.push_back(
        new_event(kTypes[i % 3], "s" + std::to_string(i % 4), ",\"n\":" + std::to_string(i)));
    if (batch.size() == 50 || i + 1 == count) {
      REQUIRE_OK(append(log, std::move(batch)));
      batch.clear();
    }
  }
}

event::Filter filter(std::string_view types, std::optional<std::string> session = {}) {
  auto made = event::Filter::parse(types, std::move(session));
  REQUIRE(made);
  return *std::move(made);
}

/// Keeps appending until retention has taken something away.
Engine& fill_until_gap(Engine& engine) {
  engine.options.retention.bytes = 256 * limits::kKiB;
  engine.restart();
  for (std::uint64_t i = 0; engine.log().first() == Offset(0); i += 200) {
    REQUIRE(i < 200'000);
    append_numbered(engine.log(), i, i + 200);
  }
  return engine;
}

}  // namespace

TEST_CASE("EventLog contract: readers start at every position", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  const std::int64_t start = engine.clock.now_us;
  CHECK(resolved(log, Beginning{}) == Offset(0));
  CHECK(resolved(log, End{}) == Offset(0));
  CHECK(resolved(log, FromEnd{3}) == Offset(0));
  CHECK(resolved(log, AtTime{Timestamp{start}}) == Offset(0));
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    engine.clock.now_us = start + static_cast<std::int64_t>(i / 10) * 1'000'000;
    REQUIRE(log.append({numbered(i)}, [](const Result<AppendReceipt>&) {}));
    if (i % 10 == 9) {  // each ten share one time
      (void)log.signal().wait_beyond(Offset(i), {}, std::chrono::minutes(1));
    }
  }
  CHECK(resolved(log, Beginning{}) == Offset(0));
  CHECK(resolved(log, End{}) == Offset(1'000));
  CHECK(resolved(log, Offset(0)) == Offset(0));
  CHECK(resolved(log, Offset(567)) == Offset(567));
  CHECK(resolved(log, Offset(1'000)) == Offset(1'000));
  CHECK(refusal(log, Offset(1'001)) == Errc::out_of_range);
  CHECK(refusal(log, Offset(~0ULL)) == Errc::out_of_range);
  CHECK(resolved(log, FromEnd{0}) == Offset(1'000));
  CHECK(resolved(log, FromEnd{1}) == Offset(999));
  CHECK(resolved(log, FromEnd{1'000}) == Offset(0));
  CHECK(resolved(log, FromEnd{~0ULL}) == Offset(0));

  const auto at = [&](std::int64_t us) { return resolved(log, AtTime{Timestamp{start + us}}); };
  CHECK(at(-1) == Offset(0));
  CHECK(at(0) == Offset(0));
  CHECK(at(1) == Offset(10));
  CHECK(at(50'000'000) == Offset(500));
  CHECK(at(50'000'001) == Offset(510));
  CHECK(at(99'000'000) == Offset(990));
  CHECK(at(99'000'001) == Offset(1'000));

  const auto all = read_all(log);
  for (const std::size_t i : {0UL, 1UL, 499UL, 998UL, 999UL}) {
    CHECK(resolved(log, AtEventId{all[i].event_id}) == Offset(i));
  }
  CHECK(refusal(log, AtEventId{random_uuid()}) == Errc::not_found);
  CHECK(refusal(log, AtEventId{Uuid{}}) == Errc::not_found);
}

TEST_CASE("EventLog contract: every position finds the same after a restart",
          "[eventlog][contract]") {
  Engine engine(any_lasting_engine());
  const std::int64_t start = engine.clock.now_us;
  for (std::uint64_t i = 0; i < 2'000; i += 100) {
    engine.clock.now_us = start + static_cast<std::int64_t>(i);
    append_numbered(engine.log(), i, i + 100);
  }
  const auto before = read_all(engine.log());
  engine.restart();
  EventLog& log = engine.log();
  CHECK(read_all(log) == before);
  CHECK(resolved(log, End{}) == Offset(2'000));
  for (std::size_t i = 0; i < before.size(); i += 37) {
    CHECK(resolved(log, AtEventId{before[i].event_id}) == Offset(i));
  }
  CHECK(resolved(log, AtTime{Timestamp{start + 700}}) == Offset(700));
  CHECK(resolved(log, AtTime{Timestamp{start + 1'900}}) == Offset(1'900));
  CHECK(resolved(log, AtTime{Timestamp{start + 1'901}}) == Offset(2'000));
}

TEST_CASE("EventLog contract: reading keeps to its limits and loses nothing",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  append_mixed(log, 1'000);
  const auto all = read_all(log);
  REQUIRE(all.size() == 1'000);
  auto back = read_all_back(log);
  std::reverse(back.begin(), back.end());
  CHECK(back == all);
  for (const ReadRequest request :
       {ReadRequest{.events_max = 1}, ReadRequest{.events_max = 7}, ReadRequest{.bytes_max = 1},
        ReadRequest{.bytes_max = 100}, ReadRequest{.scan_bytes_max = 1},
        ReadRequest{.scan_bytes_max = 3'000}}) {
    CHECK(read_all(log, request) == all);
    auto backwards = read_all_back(log, request);
    std::reverse(backwards.begin(), backwards.end());
    CHECK(backwards == all);
    auto reader = log.reader(Offset(500));
    const auto forth = (*reader)->read(request);
    CHECK(forth->events.size() <= request.events_max);
    (*reader)->seek(Offset(500));
    CHECK((*reader)->read_back(request)->events.size() <= request.events_max);
  }
}

TEST_CASE("EventLog contract: the bytes returned are bounded, but for a single event",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  const event::NewEvent large = padded(10'000);
  REQUIRE_OK(append(log, std::vector<event::NewEvent>(20, large)));
  auto reader = log.reader(Beginning{});
  CHECK((*reader)->read({.bytes_max = 35'000})->events.size() == 3);
  CHECK((*reader)->position() == Offset(3));
  CHECK((*reader)->read({.bytes_max = 9'999})->events.size() == 1);
  CHECK((*reader)->read_back({.bytes_max = 20'000})->events.size() == 2);
  CHECK((*reader)->position() == Offset(2));
}

TEST_CASE("EventLog contract: a filter is applied before the limit, both ways",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  append_mixed(log, 1'200);
  const auto all = read_all(log);
  for (const auto& wanted : {filter("hook"), filter("session,mine"), filter("", "s2"),
                             filter("hook", "s3"), filter("claude")}) {
    std::vector<Seen> expected;
    std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
                 [&](const Seen& e) { return wanted.matches(e.type, e.session); });
    for (const std::size_t events : {1UL, 10UL, 1'000UL}) {
      const ReadRequest request{.events_max = events, .filter = &wanted};
      CHECK(read_all(log, request) == expected);
      auto back = read_all_back(log, request);
      std::reverse(back.begin(), back.end());
      CHECK(back == expected);
    }
    auto reader = log.reader(End{});
    const auto newest = (*reader)->read_back({.events_max = 5, .filter = &wanted});
    CHECK(newest->events.size() == std::min<std::size_t>(5, expected.size()));
  }
}

TEST_CASE("EventLog contract: at the end a read is empty and stays", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  auto reader = log.reader(End{});
  REQUIRE(reader);
  CHECK((*reader)->read({})->events.empty());
  CHECK((*reader)->read_back({})->events.empty());
  append_numbered(log, 0, 3);
  CHECK((*reader)->read({})->events.size() == 3);
  CHECK((*reader)->read({})->events.empty());
  CHECK((*reader)->position() == Offset(3));
  (*reader)->seek(Offset(1));
  CHECK((*reader)->read({})->events.size() == 2);
  CHECK((*reader)->read_back({})->events.size() == 3);
  CHECK((*reader)->position() == Offset(0));
}

TEST_CASE("EventLog contract: what is no longer kept is a gap, never a silence",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = fill_until_gap(engine).log();
  const Offset first = log.first();
  REQUIRE(first > Offset(0));
  CHECK(resolved(log, Beginning{}) == first);
  CHECK(resolved(log, FromEnd{~0ULL}) == first);
  auto reader = log.reader(Offset(0));
  REQUIRE(reader);
  const auto batch = (*reader)->read({});
  REQUIRE(batch);
  CHECK(batch->events.empty());
  REQUIRE(batch->gap);
  CHECK(batch->gap->from == Offset(0));
  CHECK(batch->gap->to == first);
  CHECK((*reader)->position() == first);
  const auto next = (*reader)->read({});
  REQUIRE_FALSE(next->events.empty());
  CHECK(next->events[0].offset == first);
  const auto back = read_all_back(log);
  CHECK(back.back().offset == first);
  CHECK(back.size() == log.end() - first);
}

TEST_CASE("EventLog contract: a cursor leads back to its place, and only in its own log",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  append_numbered(engine.log(), 0, 10);
  for (const std::uint64_t next : {0UL, 1UL, 5UL, 10UL}) {
    const auto cursor = engine.log().cursor_at(Offset(next));
    REQUIRE(cursor);
    CHECK(cursor->log_id == engine.log().log_id());
    const auto parsed = event::parse_cursor(event::to_string(*cursor));
    REQUIRE(parsed);
    CHECK(*engine.log().resume(*parsed) == Offset(next));
  }
  CHECK(engine.log().cursor_at(Offset(11)).error().code == Errc::out_of_range);

  const auto refusal_of = [&](const event::Cursor& cursor) {
    const auto resumed = engine.log().resume(cursor);
    return resumed ? std::error_code() : resumed.error().code;
  };
  const auto refused = [&](const event::Cursor& cursor) {
    return refusal_of(cursor) == event::make_error_code(event::Errc::cursor_mismatch);
  };
  auto cursor = *engine.log().cursor_at(Offset(5));
  event::Cursor other = cursor;
  other.log_id = random_uuid();
  CHECK(refused(other));
  other = cursor;
  other.check ^= 1U;
  CHECK(refused(other));
  other = cursor;
  other.next = Offset(11);
  // Another server that shares the log may have it already.
  CHECK((engine.is_shared() ? refusal_of(other) == std::errc::resource_unavailable_try_again
                            : refused(other)));
  if (engine.survives_restart()) {
    engine.restart();
    CHECK(*engine.log().resume(cursor) == Offset(5));
  }
}

TEST_CASE("EventLog contract: a cursor into what is no longer kept resumes with a gap",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = fill_until_gap(engine).log();
  const auto resumed = log.resume({log.log_id(), Offset(1), 0x12345678});
  REQUIRE(resumed);
  CHECK((*log.reader(*resumed))->read({})->gap);
}

TEST_CASE("EventLog contract: retention by age drops everything once all of it is too old",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  engine.options.retention.age = std::chrono::hours(1);
  engine.restart();
  append_numbered(engine.log(), 0, 10);
  const bool has_group = GENERATE(false, true);
  if (has_group) {
    REQUIRE(engine.log().group_offsets().commit("g", Offset(5)));
  }
  engine.clock.now_us += std::chrono::microseconds(std::chrono::hours(2)).count();
  if (engine.survives_restart()) {
    engine.restart();  // looks at its rules at once
  }
  CHECK(append_one(engine.log(), numbered(10)) == Offset(10));
  if (has_group) {
    CHECK(engine.log().first() <= Offset(5));
    return;
  }
  CHECK(engine.log().first() == Offset(10));
  const auto batch = (*engine.log().reader(Offset{}))->read({});
  REQUIRE(batch);
  REQUIRE(batch->gap);
  CHECK(batch->gap->from == Offset{});
  CHECK(batch->gap->to == Offset(10));
  if (engine.survives_restart()) {
    engine.restart();
  }
  CHECK(read_all(engine.log()).size() == 1);
}
