// SPDX-License-Identifier: MIT
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <libwebsockets.h>

#include "consumers/broadcaster.hpp"
#include "net/background.hpp"
#include "net/body_pace.hpp"
#include "net/raw_frames.hpp"
#include "net/task_queue.hpp"
#include "net/timer_queue.hpp"
#include "support/catch.hpp"
#include "wire/frame_header.hpp"

namespace vibes::net {
namespace {

using std::chrono::milliseconds;

/// A timer queue whose time is the test's.
struct Timers {
  std::int64_t now_ns = 1'000;
  std::int64_t armed_ns = -1;
  TimerQueue queue{[this] { return now_ns; }, [this](std::int64_t at) { armed_ns = at; }};

  void advance(milliseconds by) {
    now_ns += std::chrono::nanoseconds(by).count();
    queue.run();
  }
};

TEST_CASE("TimerQueue: timers fire once, in the order of their deadlines", "[net]") {
  Timers timers;
  std::string fired;
  Timer b(timers.queue, [&] { fired += 'b'; });
  Timer a(timers.queue, [&] { fired += 'a'; });
  b.set(milliseconds(20));
  a.set(milliseconds(10));
  CHECK(timers.armed_ns == 1'000 + 10'000'000);
  timers.advance(milliseconds(9));
  CHECK(fired.empty());
  timers.advance(milliseconds(1));
  CHECK(fired == "a");
  CHECK_FALSE(a.is_set());
  timers.advance(milliseconds(100));
  CHECK(fired == "ab");
}

TEST_CASE("TimerQueue: setting again replaces, later as well as earlier", "[net]") {
  Timers timers;
  int fired = 0;
  Timer timer(timers.queue, [&] { ++fired; });
  timer.set(milliseconds(10));
  timer.set(milliseconds(50));
  timers.advance(milliseconds(20));
  CHECK(fired == 0);
  CHECK(timers.armed_ns > timers.now_ns);
  timer.set(milliseconds(5));
  timers.advance(milliseconds(5));
  CHECK(fired == 1);
  timers.advance(milliseconds(100));
  CHECK(fired == 1);
}

TEST_CASE("TimerQueue: a stopped or destroyed timer does not fire", "[net]") {
  Timers timers;
  int fired = 0;
  Timer stopped(timers.queue, [&] { ++fired; });
  auto gone = std::make_unique<Timer>(timers.queue, [&] { ++fired; });
  stopped.set(milliseconds(1));
  gone->set(milliseconds(1));
  stopped.stop();
  gone.reset();
  timers.advance(milliseconds(10));
  CHECK(fired == 0);
}

TEST_CASE("TimerQueue: a timer may set itself again, or destroy itself and others", "[net]") {
  Timers timers;
  int fired = 0;
  std::unique_ptr<Timer> self;
  std::unique_ptr<Timer> other = std::make_unique<Timer>(timers.queue, [&] { fired += 100; });
  self = std::make_unique<Timer>(timers.queue, [&] {
    if (++fired < 3) {
      self->set(milliseconds(1));
    } else {
      other.reset();
      self.reset();
    }
  });
  self->set(milliseconds(1));
  other->set(milliseconds(5));
  timers.advance(milliseconds(1));
  timers.advance(milliseconds(1));
  timers.advance(milliseconds(1));
  timers.advance(milliseconds(10));
  CHECK(fired == 3);
}

TEST_CASE("TaskQueue: tasks run in order, and many posts are one signal", "[net]") {
  int signals = 0;
  TaskQueue tasks([&] { ++signals; });
  std::string ran;
  CHECK(tasks.post([&] { ran += '1'; }));
  CHECK(tasks.post_quiet([&] { ran += '2'; }));
  CHECK(tasks.post([&] { ran += '3'; }));
  CHECK(signals == 1);
  tasks.run();
  CHECK(ran == "123");
  CHECK(tasks.post([&] { ran += '4'; }));
  CHECK(signals == 2);
}

TEST_CASE("TaskQueue: a quiet post does not signal, and what a task posts waits its turn",
          "[net]") {
  int signals = 0;
  TaskQueue tasks([&] { ++signals; });
  std::string ran;
  CHECK(tasks.post_quiet([&] {
    ran += 'a';
    CHECK(tasks.post([&] { ran += 'b'; }));
  }));
  CHECK(signals == 0);
  CHECK_FALSE(tasks.empty());
  tasks.run();
  CHECK(ran == "a");
  CHECK(signals == 1);
  tasks.run();
  CHECK(ran == "ab");
}

TEST_CASE("TaskQueue: over its limits it refuses, says so once and is woken", "[net]") {
  int signals = 0;
  int ran = 0;
  TaskQueue tasks([&] { ++signals; }, {.tasks = 3, .bytes = 100});
  const auto task = [&] { ++ran; };
  SECTION("by count") {
    CHECK(tasks.post_quiet(task));
    CHECK(tasks.post_quiet(task));
    CHECK(tasks.post_quiet(task));
    CHECK(signals == 0);
    CHECK_FALSE(tasks.post_quiet(task));
    CHECK_FALSE(tasks.post(task));
  }
  SECTION("by bytes") {
    CHECK(tasks.post(task, 60));
    CHECK_FALSE(tasks.post(task, 41));
    CHECK(tasks.post(task, 40));
    CHECK(tasks.post_quiet(task));
  }
  CHECK(signals == 1);
  tasks.post_unlimited(task);
  CHECK(tasks.take_overrun());
  CHECK_FALSE(tasks.take_overrun());
  tasks.run();
  CHECK(ran == 4);
  CHECK(tasks.post(task, 100));
  CHECK_FALSE(tasks.take_overrun());
}

TEST_CASE("TaskQueue: closed, it takes nothing and signals nobody", "[net]") {
  int signals = 0;
  int ran = 0;
  TaskQueue tasks([&] { ++signals; });
  CHECK(tasks.post_quiet([&] { ++ran; }));
  tasks.close();
  CHECK(tasks.post([&] { ++ran; }));
  tasks.run();
  CHECK(signals == 0);
  CHECK(ran == 0);
}

TEST_CASE("TaskQueue: posts of several threads all arrive, those of one in order", "[net]") {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2'000;
  std::atomic<int> signals{0};
  TaskQueue tasks([&] { ++signals; });
  std::vector<int> next(kThreads, 0);
  bool in_order = true;
  std::atomic<bool> all_taken{true};
  {
    std::vector<std::jthread> posters;
    for (int t = 0; t < kThreads; ++t) {
      posters.emplace_back([&, t] {
        for (int i = 0; i < kPosts; ++i) {
          const bool taken = tasks.post([&, t, i] {
            auto& expected = next[static_cast<std::size_t>(t)];
            in_order = in_order && expected == i;
            expected = i + 1;
          });
          all_taken = all_taken && taken;
        }
      });
    }
    int done = 0;
    while (done < kThreads * kPosts) {
      tasks.run();
      done = 0;
      for (const int n : next) {
        done += n;
      }
    }
  }
  CHECK(in_order);
  CHECK(all_taken);
  CHECK(signals > 0);
}

TEST_CASE("Background: tasks run on a thread of their own, and the last ones before it ends",
          "[net]") {
  std::thread::id ran_on;
  int ran = 0;
  {
    Background background;
    REQUIRE(background.post([&] { ran_on = std::this_thread::get_id(); }));
    REQUIRE(background.post([&] { ++ran; }));
  }
  CHECK(ran == 1);
  CHECK(ran_on != std::this_thread::get_id());
}

TEST_CASE("next_frame_payload: takes apart what the broadcaster puts together", "[net]") {
  std::string frames;
  std::vector<std::string> texts;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 70'000U}) {
    texts.emplace_back(size, 'x');
    wire::append_text_frame_header(frames, size);
    frames += texts.back();
  }
  std::string_view rest = frames;
  for (const std::string& text : texts) {
    CHECK(next_frame_payload(rest) == text);
  }
  CHECK(rest.empty());
}

TEST_CASE("sends_frames_as_they_are: only versions whose source was read", "[net]") {
  CHECK(sends_frames_as_they_are("4.1.6-"));
  CHECK(sends_frames_as_they_are(lws_get_library_version()));
  CHECK_FALSE(sends_frames_as_they_are("4.10.0"));
  CHECK_FALSE(sends_frames_as_they_are("5.0.0"));
  CHECK_FALSE(sends_frames_as_they_are(""));
}

TEST_CASE("BodyPace: every span must bring its share", "[net]") {
  BodyPace pace;
  CHECK(pace.keeps_up(5'120, milliseconds(5'000)));
  CHECK_FALSE(pace.keeps_up(5'120 + 5'119, milliseconds(5'000)));
  CHECK(pace.keeps_up(1'000'000, milliseconds(5'000)));
  CHECK_FALSE(pace.keeps_up(1'000'001, milliseconds(5'000)));  // what came before does not count
  CHECK(pace.keeps_up(1'000'103, milliseconds(99)));
}

}  // namespace
}  // namespace vibes::net
