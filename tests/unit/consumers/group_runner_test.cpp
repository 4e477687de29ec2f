// SPDX-License-Identifier: MIT
#include "consumers/group_runner.hpp"

#include <algorithm>
#include <future>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <sys/resource.h>
#include <thread>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/thread_priority.hpp"
#include "unit/consumers/fixture.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace vibes::test;
using namespace std::chrono_literals;

namespace {

/// Lets no time pass and remembers what was asked for.
class RecordingWaiter final : public Waiter {
 public:
  void wait(std::chrono::milliseconds delay, const std::stop_token& /*stop*/) override {
    const std::lock_guard lock(mutex_);
    delays_.push_back(delay);
  }
  std::vector<std::chrono::milliseconds> delays() {
    const std::lock_guard lock(mutex_);
    return delays_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::chrono::milliseconds> delays_;
};

using Handle = std::function<Outcome(std::uint64_t offset, std::uint64_t attempt)>;

class FunctionHandler final : public Handler {
 public:
  explicit FunctionHandler(Handle handle) : handle_(std::move(handle)) {}
  Outcome handle(const event::EventView& event, std::uint64_t attempt) override {
    return handle_(event.offset.value(), attempt);
  }

 private:
  Handle handle_;
};

struct RunnerFixture : RegistryFixture {
  std::unique_ptr<GroupRunner> run(Handle handle, RunnerOptions options = {}) {
    options.group = "g";
    options.clock = &clock;
    options.waiter = &waiter;
    return std::make_unique<GroupRunner>(
        *log, *registry, [handle](Offset) { return std::make_unique<FunctionHandler>(handle); },
        options);
  }
  std::optional<Offset> committed() { return log->group_offsets().committed("g"); }

  RecordingWaiter waiter;
};

}  // namespace

TEST_CASE("GroupRunner: every event is handled once and in order, and committed at the stop",
          "[consumers]") {
  RunnerFixture f;
  f.append(100);
  std::vector<std::uint64_t> handled;
  std::latch all(300);
  {
    const auto runner = f.run([&](std::uint64_t offset, std::uint64_t attempt) {
      CHECK(attempt == 1);
      handled.push_back(offset);
      all.count_down();
      return Outcome::ok();
    });
    f.append(200);
    all.wait();
  }
  REQUIRE(handled.size() == 300);
  for (std::size_t i = 0; i < handled.size(); ++i) {
    REQUIRE(handled[i] == i);
  }
  CHECK(f.committed() == Offset(300));
}

TEST_CASE("GroupRunner: one that starts at the end misses nothing that is appended once it exists",
          "[consumers]") {
  RunnerFixture f;
  f.append(3);
  RunnerOptions options;
  options.first_start = FirstStart::end;
  const auto runner = f.run([](std::uint64_t, std::uint64_t) { return Outcome::ok(); }, options);
  // Whatever its thread has come to: the group is there, and stands where the log ended.
  const auto group = f.registry->find("g");
  REQUIRE(group);
  CHECK(group->committed == Offset(3));
}

TEST_CASE("GroupRunner: a restart goes on from the commit", "[consumers]") {
  RunnerFixture f;
  std::vector<std::uint64_t> handled;
  for (std::ptrdiff_t count : {10, 5}) {
    std::latch all(count);
    f.append(static_cast<std::uint64_t>(count));
    const auto runner = f.run([&](std::uint64_t offset, std::uint64_t) {
      handled.push_back(offset);
      all.count_down();
      return Outcome::ok();
    });
    all.wait();
  }
  REQUIRE(handled.size() == 15);
  for (std::size_t i = 0; i < handled.size(); ++i) {
    CHECK(handled[i] == i);
  }
}

TEST_CASE("GroupRunner: a retry comes after pauses of 100 ms to 30 s, then the event is given up",
          "[consumers]") {
  RunnerFixture f;
  f.append(3);
  std::vector<std::uint64_t> attempts;
  std::latch all(2);
  {
    const auto runner = f.run(
        [&](std::uint64_t offset, std::uint64_t attempt) {
          if (offset == 1) {
            attempts.push_back(attempt);
            return Outcome::retry("not now " + std::to_string(attempt));
          }
          all.count_down();
          return Outcome::ok();
        },
        {.attempts_max = 12});
    all.wait();
  }
  CHECK(attempts == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(f.waiter.delays() == std::vector<std::chrono::milliseconds>{100ms, 200ms, 400ms, 800ms,
                                                                    1600ms, 3200ms, 6400ms, 12800ms,
                                                                    25600ms, 30000ms, 30000ms});
  CHECK(f.committed() == Offset(3));
  const auto letter = nlohmann::json::parse(*f.registry->dead_letters("g"));
  CHECK(letter["offset"] == 1);
  CHECK(letter["attempts"] == 12);
  CHECK(letter["reason"] == "not now 12");
}

TEST_CASE("GroupRunner: 8 attempts are made by default", "[consumers]") {
  RunnerFixture f;
  f.append(2);
  std::atomic<int> tries = 0;
  std::latch next(1);
  {
    const auto runner = f.run([&](std::uint64_t offset, std::uint64_t) {
      if (offset == 1) {
        next.count_down();
        return Outcome::ok();
      }
      ++tries;
      return Outcome::retry("no");
    });
    next.wait();
  }
  CHECK(tries == 8);
}

TEST_CASE("GroupRunner: a rejected event is a dead letter at once, the rest goes on",
          "[consumers]") {
  RunnerFixture f;
  f.append(10);
  std::latch all(10);
  {
    const auto runner = f.run([&](std::uint64_t offset, std::uint64_t) {
      all.count_down();
      return offset % 2 == 0 ? Outcome::reject("even") : Outcome::ok();
    });
    all.wait();
  }
  CHECK(f.waiter.delays().empty());
  CHECK(f.registry->find("g")->dead_letters == 5);
  CHECK(f.committed() == Offset(10));
}

TEST_CASE("GroupRunner: an exception is a retry", "[consumers]") {
  RunnerFixture f;
  f.append(2);
  std::latch all(1);
  std::atomic<int> state_while_retrying = -1;
  {
    const auto runner = f.run([&](std::uint64_t offset, std::uint64_t attempt) -> Outcome {
      if (offset == 0 && attempt == 1) {
        throw std::runtime_error("oops");
      }
      if (offset == 0 && attempt == 2) {
        const auto status = f.registry->find("g");
        state_while_retrying = static_cast<int>(status->state);
        CHECK(status->attempts == 1);
        CHECK(status->problem == "oops");
        throw 7;  // not even a std::exception
      }
      if (offset == 1) {
        CHECK(f.registry->find("g")->state == GroupState::running);
        CHECK(f.registry->find("g")->attempts == 0);
        all.count_down();
      }
      return Outcome::ok();
    });
    all.wait();
  }
  CHECK(state_while_retrying == static_cast<int>(GroupState::retrying));
  CHECK(f.waiter.delays() == std::vector<std::chrono::milliseconds>{100ms, 200ms});
  CHECK(f.registry->find("g")->dead_letters == 0);
}

TEST_CASE("GroupRunner: a consumer that cannot start is tried again with pauses", "[consumers]") {
  RunnerFixture f;
  f.append(1);
  std::atomic<int> made = 0;
  std::latch handled(1);
  {
    const GroupRunner runner(
        *f.log, *f.registry,
        [&](Offset) -> std::unique_ptr<Handler> {
          if (++made < 4) {
            throw std::runtime_error("no backend");
          }
          return std::make_unique<FunctionHandler>([&](std::uint64_t, std::uint64_t) {
            handled.count_down();
            return Outcome::ok();
          });
        },
        {.group = "g", .clock = &f.clock, .waiter = &f.waiter});
    handled.wait();
  }
  CHECK(made == 4);
  CHECK(f.waiter.delays() == std::vector<std::chrono::milliseconds>{100ms, 200ms, 400ms});
}

TEST_CASE("GroupRunner: commits come every so many events, and soon after a second",
          "[consumers]") {
  RunnerFixture f;
  f.append(45);
  std::vector<std::uint64_t> seen;  // what was committed before each event
  std::latch all(45);
  {
    const auto runner = f.run(
        [&](std::uint64_t offset, std::uint64_t) {
          seen.push_back(f.committed().value_or(Offset{}).value());
          if (offset == 22) {
            f.clock.now_us += 1'000'000;
          }
          all.count_down();
          return Outcome::ok();
        },
        {.commit_every_events = 20});
    all.wait();
  }
  REQUIRE(seen.size() == 45);
  for (std::size_t i = 0; i < 23; ++i) {
    CHECK(seen[i] == i / 20 * 20);
  }
  // The clock is looked at every few events, and it is not 40 that make it commit.
  CHECK(seen[39] > 22);
  CHECK(seen[39] < 40);
  CHECK(f.committed() == Offset(45));
}

TEST_CASE("GroupRunner: events lost to retention are passed over", "[consumers]") {
  ManualClock clock;
  const auto log = memory_log(clock, 4 * limits::kKiB);
  append_numbered(*log, 1);
  const auto registry = *GroupRegistry::open(*log, registry_options(clock));
  REQUIRE(registry->seek("g", Offset(0)));
  append_numbered(*log, 500);
  REQUIRE(log->first() > Offset(0));
  std::vector<std::uint64_t> handled;
  std::latch all(static_cast<std::ptrdiff_t>(log->end() - log->first()));
  {
    const GroupRunner runner(
        *log, *registry,
        [&](Offset) {
          return std::make_unique<FunctionHandler>([&](std::uint64_t offset, std::uint64_t) {
            handled.push_back(offset);
            all.count_down();
            return Outcome::ok();
          });
        },
        {.group = "g"});
    all.wait();
  }
  CHECK(handled.front() == log->first().value());
  CHECK(log->group_offsets().committed("g") == log->end());
}

TEST_CASE("GroupRunner: a stop does not wait for an event to succeed", "[consumers]") {
  RunnerFixture f;
  f.append(3);
  std::latch tried(1);
  std::atomic<int> tries = 0;
  {
    RunnerOptions options{.group = "g", .attempts_max = ~0ULL, .clock = &f.clock};  // real pauses
    const GroupRunner runner(
        *f.log, *f.registry,
        [&](Offset) {
          return std::make_unique<FunctionHandler>([&](std::uint64_t offset, std::uint64_t) {
            if (offset < 2) {
              return Outcome::ok();
            }
            if (++tries == 3) {
              tried.count_down();
            }
            return Outcome::retry("never");
          });
        },
        options);
    tried.wait();
  }
  CHECK(f.committed() == Offset(2));
  CHECK(f.registry->find("g")->state == GroupState::idle);
}

namespace {

/// Settles up to what the test says, and counts.
class SettlingHandler final : public Handler {
 public:
  SettlingHandler(Handle handle, std::atomic<std::uint64_t>& settled, std::atomic<int>& last,
                  std::atomic<int>& ticks)
      : handle_(std::move(handle)), settled_(settled), last_(last), ticks_(ticks) {}
  Outcome handle(const event::EventView& event, std::uint64_t attempt) override {
    return handle_(event.offset.value(), attempt);
  }
  Result<Offset> settle(Offset handled, Occasion occasion) override {
    last_ += occasion == Occasion::last ? 1 : 0;
    return std::min(handled, Offset(settled_));
  }
  void tick() override { ++ticks_; }

 private:
  Handle handle_;
  std::atomic<std::uint64_t>& settled_;
  std::atomic<int>& last_;
  std::atomic<int>& ticks_;
};

}  // namespace

TEST_CASE("GroupRunner: only what the handler has settled is committed", "[consumers]") {
  RunnerFixture f;
  f.append(10);
  std::atomic<std::uint64_t> settled = 4;
  std::atomic<int> last = 0;
  std::atomic<int> ticks = 0;
  for (const std::uint64_t from : {0U, 4U}) {
    std::vector<std::uint64_t> handled;
    std::latch all(static_cast<std::ptrdiff_t>(10 - from));
    {
      const GroupRunner runner(
          *f.log, *f.registry,
          [&](Offset start) {
            CHECK(start == Offset(from));
            return std::make_unique<SettlingHandler>(
                [&](std::uint64_t offset, std::uint64_t) {
                  handled.push_back(offset);
                  all.count_down();
                  return offset == 6 ? Outcome::reject("six") : Outcome::ok();
                },
                settled, last, ticks);
          },
          {.group = "g", .commit_every_events = 2, .clock = &f.clock, .waiter = &f.waiter});
      all.wait();
    }
    CHECK(handled.front() == from);
    CHECK(f.committed() == Offset(settled));
    settled = 10;
  }
  CHECK(last >= 1);  // the second life may have committed everything before it was stopped
  CHECK(ticks == 0);
  CHECK(f.registry->find("g")->dead_letters == 1);  // handed over twice, set aside once
}

TEST_CASE("GroupRunner: the handler is ticked while there is nothing to do", "[consumers]") {
  RunnerFixture f;
  std::atomic<std::uint64_t> settled = 0;
  std::atomic<int> last = 0;
  std::atomic<int> ticks = 0;
  const GroupRunner runner(*f.log, *f.registry,
                           [&](Offset) {
                             return std::make_unique<SettlingHandler>(
                                 [](std::uint64_t, std::uint64_t) { return Outcome::ok(); },
                                 settled, last, ticks);
                           },
                           {.group = "g", .tick_every = 1ms});
  while (ticks < 3) {
    std::this_thread::yield();
  }
}

TEST_CASE("GroupRunner: a group that is moved goes on from there with a new handler",
          "[consumers]") {
  RunnerFixture f;
  f.append(20);
  std::atomic<std::uint64_t> last_handled = 0;
  std::atomic<int> handled = 0;
  std::atomic<int> made = 0;
  const auto wait_for = [&](int count) {
    while (handled < count) {
      std::this_thread::yield();
    }
  };
  const GroupRunner runner(
      *f.log, *f.registry,
      [&](Offset) {
        ++made;
        return std::make_unique<FunctionHandler>([&](std::uint64_t offset, std::uint64_t) {
          last_handled = offset;
          ++handled;
          return offset == 3 ? Outcome::reject("three") : Outcome::ok();
        });
      },
      {.group = "g"});
  wait_for(20);
  const auto moved = f.registry->seek("g", Offset(15));
  REQUIRE(moved);
  CHECK(moved->committed >= Offset(15));
  wait_for(25);
  CHECK(last_handled == 19);
  CHECK(made == 2);

  CHECK(f.registry->find("g")->dead_letters == 1);
  REQUIRE(f.registry->reset("g"));
  wait_for(45);
  CHECK(made == 3);
  CHECK(handled == 45);
}

TEST_CASE("GroupRunner: a move does not wait for an event that always fails", "[consumers]") {
  RunnerFixture f;
  f.append(3);
  std::latch failing(1);
  std::latch moved_to(1);
  std::atomic<bool> told = false;
  const GroupRunner runner(
      *f.log, *f.registry,
      [&](Offset) {
        return std::make_unique<FunctionHandler>([&](std::uint64_t offset, std::uint64_t attempt) {
          if (offset == 2) {
            moved_to.count_down();
            return Outcome::ok();
          }
          if (attempt > 1 && !told.exchange(true)) {
            failing.count_down();
          }
          return Outcome::retry("never");
        });
      },
      {.group = "g", .attempts_max = ~0ULL});  // real pauses
  failing.wait();
  REQUIRE(f.registry->seek("g", Offset(2)));
  moved_to.wait();
  CHECK(f.registry->find("g")->dead_letters == 0);
}

TEST_CASE("GroupRunner: the handler's thread comes after those that append", "[consumers]") {
  const auto niceness = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
  RunnerFixture f;
  f.append(1);
  std::promise<int> seen;
  const auto runner = f.run([&](std::uint64_t, std::uint64_t) {
    seen.set_value(niceness());
    return Outcome::ok();
  });
  CHECK(seen.get_future().get() == std::min(niceness() + kNicenessOfStepBack, 19));
}
