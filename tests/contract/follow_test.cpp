// SPDX-License-Identifier: MIT
#include <latch>
#include <map>
#include <thread>

#include "contract/harness.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::test;

namespace {

constexpr std::chrono::minutes kForever{5};

}  // namespace

TEST_CASE("EventLog contract: the end wakes who waits for it", "[eventlog][contract]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  std::latch ready(2);
  std::latch woken(2);
  std::atomic<std::uint64_t> heard = 0;
  std::atomic<std::uint64_t> waited = 0;
  const auto subscription = log.signal().listen([&](Offset end) {
    if (heard.exchange(end.value()) == 0) {
      woken.count_down();
    }
  });
  std::thread waiter([&] {
    ready.arrive_and_wait();
    waited = log.signal().wait_beyond(Offset(0), {}, kForever).value();
    woken.count_down();
  });
  ready.arrive_and_wait();
  append_one(log, numbered(0));
  woken.wait();
  waiter.join();
  CHECK(heard == 1);
  CHECK(waited == 1);
}

TEST_CASE("EventLog contract: closing wakes the listeners", "[eventlog][contract]") {
  Engine engine(any_engine());
  std::atomic<int> heard = 0;
  const auto subscription = engine.log().signal().listen([&](Offset) { ++heard; });
  REQUIRE(engine.log().close());
  CHECK(heard >= 1);
}

TEST_CASE("EventLog contract: 8 producers and 4 readers, nothing lost, doubled or reordered",
          "[eventlog][contract][threads]") {
  Engine engine(any_engine());
  EventLog& log = engine.log();
  constexpr std::uint64_t kProducers = 8;
  constexpr std::uint64_t kEach = 400;
  std::vector<std::thread> threads;
  for (std::uint64_t p = 0; p < kProducers; ++p) {
    threads.emplace_back([&log, p] {
      for (std::uint64_t i = 0; i < kEach;) {
        std::vector<event::NewEvent> batch;
        for (std::uint64_t size = 1 + i % 3; size > 0 && i < kEach; --size, ++i) {
          batch.push_back(numbered(i, "p" + std::to_string(p)));
        }
        (void)log.append(std::move(batch), [](const Result<AppendReceipt>&) {});
      }
    });
  }
  std::atomic<int> wrong = 0;
  for (int r = 0; r < 4; ++r) {
    threads.emplace_back([&, r] {
      auto reader = log.reader(Beginning{});
      std::map<std::string, std::uint64_t, std::less<>> next;
      Offset expected;
      while (expected < Offset(kProducers * kEach)) {
        (void)log.signal().wait_beyond(expected, {}, kForever);
        const auto batch = (*reader)->read({.events_max = static_cast<std::size_t>(1 + r * 50)});
        if (!batch) {
          ++wrong;
          return;
        }
        for (const event::EventView& view : batch->events) {
          const std::string type(view.type);
          wrong += view.offset == expected ? 0 : 1;
          wrong += view.payload == numbered(next[type]++, type).payload ? 0 : 1;
          ++expected;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
  CHECK(log.end() == Offset(kProducers * kEach));
}
