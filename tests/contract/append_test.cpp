// SPDX-License-Identifier: MIT
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "contract/harness.hpp"
#include "event/errc.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::test;

namespace {

Uuid id_number(std::uint8_t number) {
  Uuid id = *parse_uuid("0190163d-8694-739b-aea5-966c26f8ad00");
  id.bytes[15] = number;
  return id;
}

}  // namespace

TEST_CASE("EventLog contract: offsets are dense from 0 on and events come in order",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  CHECK(log.first() == Offset(0));
  CHECK(log.end() == Offset(0));
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(append_one(log, numbered(i)) == Offset(i));
  }
  append_numbered(log, 50, 3'000);
  const auto all = read_all(log);
  REQUIRE(all.size() == 3'000);
  for (std::uint64_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].offset == Offset(i));
    REQUIRE(all[i].payload == numbered(i).payload);
    REQUIRE(all[i].type == "n");
    REQUIRE((i == 0 || all[i - 1].event_id < all[i].event_id));
  }
}

TEST_CASE("EventLog contract: bytes come back as they were given", "[eventlog][contract]") {
  Engine engine(any_engine());
  const std::string type(limits::kTypeBytesMax, 't');
  const std::string session(limits::kSessionBytesMax, 's');
  std::vector<event::NewEvent> batch;
  batch.push_back({"{\t\"n\" : 1.50e+01,\n\"type\":\"" + type +
                       "\", \"m\":-0,\n \"session_id\":\"" + session +
                       R"(","u":"\u0000 \ud83d\ude00 \/ ü"})",
                   type, session, std::nullopt});
  batch.push_back({R"({"type":"x"})", "x", "", std::nullopt});
  batch.push_back(padded(limits::kEventBytesMax));
  const auto expected = batch;
  for (const event::NewEvent& alone : expected) {
    REQUIRE_OK(append(engine.log(), {alone}));
  }
  REQUIRE_OK(append(engine.log(), batch));
  const auto all = read_all(engine.log());
  REQUIRE(all.size() == 2 * expected.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const event::NewEvent& given = expected[i % expected.size()];
    CHECK(all[i].type == given.type);
    CHECK(all[i].session == given.session);
    CHECK((all[i].payload == given.payload));
  }
}

TEST_CASE("EventLog contract: what is acknowledged can be read at once", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  auto reader = log.reader(Beginning{});
  REQUIRE(reader);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Offset at = append_one(log, numbered(i));
    REQUIRE(log.end() == at + 1);
    const auto batch = (*reader)->read({});
    REQUIRE(batch);
    REQUIRE(batch->events.size() == 1);
    REQUIRE(batch->events[0].offset == at);
  }
}

TEST_CASE("EventLog contract: a batch lies together and is seen whole", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  constexpr std::uint64_t kBatch = 7;
  constexpr std::uint64_t kBatches = 300;
  std::atomic<bool> done = false;
  std::atomic<int> partial = 0;
  std::thread watcher([&] {
    while (!done) {
      partial += log.end().value() % kBatch == 0 ? 0 : 1;
    }
  });
  // Told of every end, where the watcher only happens to see some.
  const auto subscription =
      log.signal().listen([&](Offset end) { partial += end.value() % kBatch == 0 ? 0 : 1; });
  std::vector<std::thread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&log, p] {
      for (std::uint64_t b = 0; b < kBatches; ++b) {
        std::vector<event::NewEvent> batch;
        for (std::uint64_t i = 0; i < kBatch; ++i) {
          batch.push_back(numbered(b * kBatch + i, "p" + std::to_string(p)));
        }
        (void)log.append(std::move(batch), [](Result<AppendReceipt>) {});
      }
    });
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  REQUIRE(log.close());
  done = true;
  watcher.join();
  CHECK(partial == 0);
  const auto all = read_all(log);
  REQUIRE(all.size() == 3 * kBatch * kBatches);
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].type == all[i - i % kBatch].type);
  }
}

TEST_CASE("EventLog contract: the same id and payload again is the first event",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  append_numbered(log, 0, 5);
  const event::NewEvent once = with_id(numbered(1'000), id_number(1));
  CHECK(append_one(log, once) == Offset(5));
  append_numbered(log, 5, 300);

  const auto again = append(log, {numbered(7), once, numbered(8)});
  REQUIRE(again);
  CHECK(again->duplicates() == 1);
  CHECK(again->places[0].offset == Offset(301));
  CHECK(again->places[1].offset == Offset(5));
  CHECK(again->places[1].duplicate);
  CHECK(again->places[1].event_id == id_number(1));
  CHECK(again->places[2].offset == Offset(302));
  CHECK_FALSE(again->places[2].duplicate);
  CHECK(log.end() == Offset(303));

  const auto only = append(log, {once});
  REQUIRE(only);
  CHECK(only->duplicates() == 1);
  CHECK(log.end() == Offset(303));
  CHECK(read_all(log).size() == 303);
}

TEST_CASE("EventLog contract: the same id with another payload refuses the whole batch",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  CHECK(append_one(log, with_id(numbered(1), id_number(1))) == Offset(0));
  const auto refused = append(
      log, {with_id(numbered(2), id_number(2)), with_id(numbered(3), id_number(1)), numbered(4)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::event_id_conflict);
  CHECK(log.end() == Offset(1));
  CHECK(append_one(log, with_id(numbered(99), id_number(2))) == Offset(1));  // id 2 was not taken
  CHECK(read_all(log).size() == 2);
}

TEST_CASE("EventLog contract: an id twice in one batch follows the same rule",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  const auto once = with_id(numbered(1), id_number(1));
  const auto twice = append(log, {numbered(0), once, once, numbered(2)});
  REQUIRE(twice);
  CHECK(twice->duplicates() == 1);
  CHECK_FALSE(twice->places[1].duplicate);
  CHECK(twice->places[2].duplicate);
  CHECK(twice->places[2].offset == twice->places[1].offset);
  CHECK(twice->places[3].offset == Offset(2));
  CHECK(log.end() == Offset(3));
  const auto refused =
      append(log, {with_id(numbered(5), id_number(5)), with_id(numbered(6), id_number(5))});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::event_id_conflict);
  CHECK(log.end() == Offset(3));
  CHECK(append_one(log, with_id(numbered(6), id_number(5))) == Offset(3));
}

TEST_CASE("EventLog contract: duplicates that race are one event", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  std::vector<std::thread> producers;
  std::atomic<int> firsts = 0;
  for (int p = 0; p < 4; ++p) {
    producers.emplace_back([&] {
      for (std::uint8_t i = 0; i < 100; ++i) {
        const auto receipt = append(log, {with_id(numbered(i), id_number(i))});
        firsts += receipt && !receipt->places[0].duplicate ? 1 : 0;
      }
    });
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  CHECK(firsts == 100);
  CHECK(log.end() == Offset(100));
}

TEST_CASE("EventLog contract: an ack comes for every append, in their order",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  constexpr int kProducers = 4;
  constexpr int kAppends = 500;
  std::vector<std::vector<int>> acked(kProducers);  // written by the engine's thread only
  std::vector<Offset> places;
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (int i = 0; i < kAppends; ++i) {
        const auto taken = log.append({numbered(static_cast<std::uint64_t>(i))},
                                      [&, p, i](const Result<AppendReceipt>& receipt) {
                                        acked[static_cast<std::size_t>(p)].push_back(i);
                                        places.push_back(receipt->places[0].offset);
                                      });
        if (!taken) {
          --i;
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  REQUIRE(log.close());
  REQUIRE(places.size() == kProducers * kAppends);
  for (std::size_t i = 0; i < places.size(); ++i) {
    REQUIRE(places[i] == Offset(i));
  }
  for (const auto& own : acked) {
    REQUIRE(own.size() == kAppends);
    CHECK(std::is_sorted(own.begin(), own.end()));
  }
}

namespace {

/// Puts the parts together in which a bundle is told of. Thread-safe.
class BundleTold {
 public:
  BundleDone done() {
    return [this](BundleReceipt receipt) {
      const std::lock_guard lock(mutex_);
      for (BundleReceipt::Refusal& refusal : receipt.refused) {
        refusal.append += told_.appends;
        told_.refused.push_back(std::move(refusal));
      }
      told_.appends += receipt.appends;
      told_.places.insert(told_.places.end(), receipt.places.begin(), receipt.places.end());
      by_.insert(std::this_thread::get_id());
      changed_.notify_all();
    };
  }
  BundleReceipt wait(std::size_t appends) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_.appends == appends; });
    return told_;
  }
  [[nodiscard]] bool told_by(std::thread::id thread) const { return by_.contains(thread); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  BundleReceipt told_;
  std::set<std::thread::id> by_;
};

void add(AppendBundle& bundle, const std::vector<event::NewEvent>& events) {
  for (const event::NewEvent& event : events) {
    bundle.events.add(event::view_of(event));
  }
  bundle.close_append();
}

/// Until all of it is taken.
void append_all(EventLog& log, AppendBundle bundle, const BundleDone& done) {
  while (!bundle.empty()) {
    const auto taken = log.append_bundle(bundle, done);
    REQUIRE((taken || taken.error().code == Errc::queue_full));
  }
}

}  // namespace

TEST_CASE("EventLog contract: a bundle is several appends, each all or nothing by itself",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  AppendBundle bundle;
  add(bundle, {with_id(numbered(1), id_number(1))});
  add(bundle, {numbered(2), numbered(3)});
  add(bundle, {numbered(4), with_id(numbered(5), id_number(1))});  // a conflict
  add(bundle, {with_id(numbered(1), id_number(1)), numbered(6)});  // a duplicate and a new one
  BundleTold told;
  append_all(log, std::move(bundle), told.done());
  log.drive();
  const BundleReceipt receipt = told.wait(4);
  REQUIRE(receipt.refused.size() == 1);
  CHECK(receipt.refused[0].append == 2);
  CHECK(receipt.refused[0].error.code == Errc::event_id_conflict);
  std::vector<std::pair<Offset, bool>> places;
  for (const auto& place : receipt.places) {
    places.emplace_back(place.offset, place.duplicate);
  }
  CHECK((places == std::vector<std::pair<Offset, bool>>{{Offset(0), false},
                                                        {Offset(1), false},
                                                        {Offset(2), false},
                                                        {Offset(0), true},
                                                        {Offset(3), false}}));
  const auto all = read_all(log);
  REQUIRE(all.size() == 4);
  CHECK(all[3].payload == numbered(6).payload);
}

TEST_CASE("EventLog contract: a bad append of a bundle is refused when its turn comes",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  AppendBundle bundle;
  add(bundle, {numbered(0)});
  bundle.close_append();  // an empty one
  add(bundle, {numbered(1)});
  BundleTold told;
  const auto first = log.append_bundle(bundle, told.done());
  REQUIRE(first);
  CHECK(*first == 1);
  const auto refused = log.append_bundle(bundle, told.done());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == event::Errc::empty_batch);
  CHECK(bundle.ends.size() == 2);
  (void)bundle.take_front(1);
  append_all(log, std::move(bundle), told.done());
  log.drive();
  CHECK(told.wait(2).refused.empty());
  CHECK(read_all(log).size() == 2);
}

TEST_CASE("EventLog contract: bundles and appends of many threads keep each thread's order",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kRounds = 100;
  constexpr std::size_t kAppends = 5;
  std::deque<BundleTold> told(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        AppendBundle bundle;
        for (std::uint64_t i = 0; i < kAppends; ++i) {
          add(bundle, {numbered(round * kAppends + i, "thread-" + std::to_string(t))});
        }
        append_all(log, std::move(bundle), told[t].done());
        log.drive();
        if (round % 10 == 0) {
          REQUIRE(append(log, {numbered(round)}));
        }
      }
      (void)told[t].wait(kRounds * kAppends);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::map<std::string, std::uint64_t> next;
  const auto all = read_all(log);
  CHECK(all.size() == kThreads * (kRounds * kAppends + kRounds / 10));
  for (const Seen& event : all) {
    if (event.type.starts_with("thread-")) {
      REQUIRE(event.payload == numbered(next[event.type]++, event.type).payload);
    }
  }
}

TEST_CASE("file log: whoever drives a quick log commits by itself", "[eventlog]") {
  Engine engine(Engine::Kind::file);
  EventLog& log = engine.log();
  bool by_itself = false;
  for (std::uint64_t i = 0; i < 1'000 && !by_itself; ++i) {  // the writer thread may be at it
    BundleTold told;
    AppendBundle bundle;
    add(bundle, {numbered(i)});
    append_all(log, std::move(bundle), told.done());
    log.drive();
    (void)told.wait(1);
    CHECK(log.end() == Offset(i + 1));
    by_itself = told.told_by(std::this_thread::get_id());
  }
  CHECK(by_itself);
}

namespace {

/// Lets go who waits, if that has not been done.
struct Release {
  explicit Release(std::latch& who) : latch(who) {}
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release() {
    if (!latch.try_wait()) {
      latch.count_down();
    }
  }
  std::latch& latch;
};

}  // namespace

TEST_CASE("EventLog contract: appends are refused when 64 MiB wait, and taken again after",
          "[eventlog][contract]") {
  std::latch blocked(1);
  std::latch go_on(1);
  Engine engine(any_engine());
  const Release release{go_on};  // also where a check fails: the log's end waits for its acks
  EventLog& log = engine.log();
  REQUIRE(log.append({numbered(0)}, [&](const Result<AppendReceipt>&) {
    blocked.count_down();
    go_on.wait();
  }));
  blocked.wait();
  const event::NewEvent large = padded(limits::kEventBytesMax);
  std::atomic<std::uint64_t> acked = 0;
  std::uint64_t taken = 0;
  Result<void> last;
  while (taken < 100) {
    last = log.append({large}, [&](const Result<AppendReceipt>& r) { acked += r ? 1U : 0U; });
    if (!last) {
      break;
    }
    ++taken;
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().code == Errc::queue_full);
  CHECK(taken >= 60);
  CHECK(taken <= 64);
  CHECK(log.status().queued_bytes >= taken * limits::kEventBytesMax);
  go_on.count_down();
  const Offset end = log.signal().wait_beyond(Offset(taken), {}, std::chrono::minutes(1));
  CHECK(end == Offset(taken + 1));
  CHECK(append_one(log, numbered(1)) == Offset(taken + 1));
  CHECK(acked == taken);
}

TEST_CASE("EventLog contract: batches that are empty or too large are refused",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  const auto refusal = [&](std::vector<event::NewEvent> batch) {
    const auto refused = log.append(
        std::move(batch), [](const Result<AppendReceipt>&) { FAIL("done must not be called"); });
    REQUIRE_FALSE(refused);
    return refused.error().code;
  };
  CHECK(refusal({}) == event::Errc::empty_batch);
  CHECK(refusal(std::vector<event::NewEvent>(limits::kBatchEventsMax + 1, numbered(0))) ==
        Errc::batch_too_large);
  const event::NewEvent large = padded(limits::kEventBytesMax);
  CHECK(refusal(std::vector<event::NewEvent>(5, large)) == Errc::batch_too_large);
  CHECK(log.end() == Offset(0));
  // Under ThreadSanitizer a batch of 65,536 is dear, and has no threads of its own.
#ifndef VIBES_SLOW
  CHECK(append(log, std::vector<event::NewEvent>(limits::kBatchEventsMax, numbered(0))));
  CHECK(log.end() == Offset(limits::kBatchEventsMax));
#endif
}

TEST_CASE("EventLog contract: a closed log refuses, after finishing what it took",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  std::atomic<int> acked = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(log.append({numbered(i)}, [&](const Result<AppendReceipt>& r) { acked += r ? 1 : 0; }));
  }
  REQUIRE(log.close());
  CHECK(acked == 100);
  CHECK(log.end() == Offset(100));
  const auto refused = log.append({numbered(0)}, [](const Result<AppendReceipt>&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::closed);
  CHECK(log.status().state == LogStatus::State::closed);
  CHECK(log.close());
  CHECK(read_all(log).size() == 100);
}

TEST_CASE("EventLog contract: time never goes back, whatever the clock does",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  const std::int64_t start = engine.clock.now_us;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto step = static_cast<std::int64_t>(i) * 1'000'000;
    engine.clock.now_us = start + (i % 3 == 0 ? -86'400'000'000 : step);
    append_one(engine.log(), numbered(i));
    if (i == 150 && engine.survives_restart()) {
      engine.clock.now_us = start - 999'000'000;
      engine.restart();
    }
  }
  const auto all = read_all(engine.log());
  REQUIRE(all.size() == 300);
  for (std::size_t i = 1; i < all.size(); ++i) {
    REQUIRE(all[i - 1].time <= all[i].time);
    REQUIRE(all[i - 1].event_id < all[i].event_id);
  }
  CHECK(all[299].time == Timestamp{start + 299'000'000});
}
