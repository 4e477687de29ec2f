// SPDX-License-Identifier: MIT
#include "eventlog/commit_signal.hpp"

#include <atomic>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace vibes;
using eventlog::CommitSignal;

namespace {

constexpr std::chrono::minutes kForever{5};

}  // namespace

TEST_CASE("CommitSignal: a listener hears every publication until it ends", "[eventlog]") {
  CommitSignal signal(Offset(3));
  CHECK(signal.end() == Offset(3));
  std::vector<std::uint64_t> heard;
  auto subscription = signal.listen([&](Offset end) { heard.push_back(end.value()); });
  signal.publish(Offset(5));
  signal.nudge();
  signal.advance(Offset(6));
  CHECK(signal.end() == Offset(6));
  CHECK(heard == std::vector<std::uint64_t>{5, 5});
  signal.publish(Offset(6));
  CHECK(heard == std::vector<std::uint64_t>{5, 5, 6});
  subscription = {};
  signal.publish(Offset(9));
  CHECK(heard.size() == 3);
}

TEST_CASE("CommitSignal: a subscription moves with its owner", "[eventlog]") {
  CommitSignal signal;
  int heard = 0;
  std::optional<CommitSignal::Subscription> kept;
  {
    auto subscription = signal.listen([&](Offset) { ++heard; });
    kept = std::move(subscription);
  }
  signal.nudge();
  CHECK(heard == 1);
  kept.reset();
  signal.nudge();
  CHECK(heard == 1);
}

TEST_CASE("CommitSignal: waiting ends when the end moves, at once if it has", "[eventlog]") {
  CommitSignal signal(Offset(3));
  CHECK(signal.wait_beyond(Offset(2), {}, kForever) == Offset(3));
  std::thread mover([&] {
    for (std::uint64_t end = 4; end <= 100; ++end) {
      signal.publish(Offset(end));
    }
  });
  CHECK(signal.wait_beyond(Offset(99), {}, kForever) == Offset(100));
  mover.join();
}

TEST_CASE("CommitSignal: waiting ends when a stop is asked for, before or while waiting",
          "[eventlog]") {
  CommitSignal signal;
  std::stop_source source;
  std::latch waiting(1);
  std::thread waiter([&] {
    waiting.count_down();
    CHECK(signal.wait_beyond(Offset(0), source.get_token(), kForever) == Offset(0));
  });
  waiting.wait();
  source.request_stop();
  waiter.join();
  CHECK(signal.wait_beyond(Offset(0), source.get_token(), kForever) == Offset(0));
}

TEST_CASE("CommitSignal: waiting ends when its time is up", "[eventlog]") {
  CommitSignal signal;
  CHECK(signal.wait_beyond(Offset(0), {}, std::chrono::milliseconds(1)) == Offset(0));
}

TEST_CASE("CommitSignal: when a subscription has ended its listener does not run any more",
          "[eventlog][threads]") {
  CommitSignal signal;
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    for (std::uint64_t end = 1; !stop; ++end) {
      signal.publish(Offset(end));
    }
  });
  std::vector<std::thread> listeners;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 3; ++t) {
    listeners.emplace_back([&] {
      Offset last;
      for (int i = 0; i < 300; ++i) {
        auto alive = std::make_unique<std::atomic<bool>>(true);
        {
          const auto subscription =
              signal.listen([&, flag = alive.get()](Offset) { wrong += *flag ? 0 : 1; });
          last = signal.wait_beyond(last, {}, kForever);
        }
        *alive = false;
      }
    });
  }
  for (std::thread& listener : listeners) {
    listener.join();
  }
  stop = true;
  publisher.join();
  CHECK(wrong == 0);
}
