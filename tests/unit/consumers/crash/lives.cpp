// SPDX-License-Identifier: MIT
#include "unit/consumers/crash/lives.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <utility>

#include <unistd.h>

#include "base/mutex.hpp"
#include "base/uuid.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/group_runner.hpp"
#include "event/check.hpp"
#include "eventlog/open.hpp"
#include "unit/consumers/crash/stepping_files.hpp"
#include "unit/consumers/crash/stepping_log.hpp"

namespace vibes::test {
namespace {

using namespace vibes::consumers;

constexpr std::uint64_t kCommitEvery = 5;
constexpr std::uint64_t kSegmentBytes = 131'072;
constexpr std::int64_t kStartUs = 1'767'603'600'000'000;
constexpr std::int64_t kApartUs = 31'000'000;  // limits::kNotificationTagWithin and a second

/// Stands still, so that only the number of events makes a commit due; from hurry() on every look
/// at it finds a second gone, so that what is left is settled without waiting.
class LifeClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp{now_us}; }
  [[nodiscard]] std::int64_t steady_ns() const override {
    return hurried_ ? 1'000'000'000 * ++looks_ : 0;
  }
  void hurry() { hurried_ = true; }

  std::atomic<std::int64_t> now_us = kStartUs;

 private:
  std::atomic<bool> hurried_ = false;
  mutable std::atomic<std::int64_t> looks_ = 0;
};

/// Something that may be said more than once and is waited for.
class Signal {
 public:
  void give() {
    const MutexLock lock(mutex_);
    given_ = true;
    changed_.notify_all();
  }
  void wait() {
    MutexLock lock(mutex_);
    while (!given_) {
      changed_.wait(lock);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool given_ VIBES_GUARDED_BY(mutex_) = false;
};

/// The real handler, with a step before and after each of its calls.
class SteppingHandler final : public Handler {
 public:
  SteppingHandler(std::unique_ptr<Handler> real, Steps& steps, std::function<void(Offset)> handled)
      : real_(std::move(real)), steps_(steps), handled_(std::move(handled)) {}
  Outcome handle(const event::EventView& event, std::uint64_t attempt) override {
    steps_.reach("before handle");
    Outcome outcome = real_->handle(event, attempt);
    VIBES_ASSERT(outcome.kind == Outcome::Kind::ok);
    steps_.note("handled " + std::to_string(event.offset.value()));
    steps_.reach("after handle");
    handled_(event.offset + 1);
    return outcome;
  }
  Result<Offset> settle(Offset handled, Occasion occasion) override {
    steps_.reach("before settle");
    auto settled = real_->settle(handled, occasion);
    VIBES_ASSERT(settled);
    steps_.reach("after settle");
    return settled;
  }
  void tick() override { real_->tick(); }

 private:
  const std::unique_ptr<Handler> real_;
  Steps& steps_;
  const std::function<void(Offset)> handled_;
};

std::unique_ptr<eventlog::EventLog> open_log(const std::string& dir, io::FileSystem& files,
                                             const Clock& clock) {
  eventlog::LogOptions options;
  options.file_system = &files;
  options.clock = &clock;
  options.segment_bytes = kSegmentBytes;
  auto opened = eventlog::open_log("file:" + dir + "/log", options);
  VIBES_ASSERT(opened);
  return *std::move(opened);
}

/// In a process of its own: everything as in the daemon, with steps in between.
void live_here(const ConsumerRow& row, const std::string& dir, std::uint64_t events, Steps& steps,
               std::uint64_t number) {
  UnsyncedFileSystem unsynced;
  SteppingFileSystem stepping(steps);
  LifeClock clock;
  const auto real_log = open_log(dir, unsynced, clock);
  Signal over;
  const auto is_all = [&](Offset next) { return next >= Offset(events); };
  SteppingLog log(*real_log, steps, [&](Offset next) {
    if (is_all(next)) {
      over.give();
    }
  });
  GroupRegistry::Options options;
  options.dead_letters_directory = dir + "/letters";
  options.file_system = &unsynced;
  options.clock = &clock;
  const auto registry = GroupRegistry::open(log, options);
  VIBES_ASSERT(registry);
  const Life life{dir, number, stepping, log, clock};
  const auto handled = [&](Offset next) {
    if (is_all(next)) {
      clock.hurry();
    }
    if (is_all(next) && row.until == ConsumerRow::Until::handled) {
      over.give();
    }
  };
  const auto make = [&, make_real = row.make(life)](Offset start) {
    steps.note("start " + std::to_string(start.value()));
    auto handler = std::make_unique<SteppingHandler>(make_real(start), steps, handled);
    if (is_all(start)) {
      over.give();  // it was killed after its last commit
    }
    return handler;
  };
  const GroupRunner runner(
      log, **registry, make,
      {.group = row.group, .commit_every_events = kCommitEvery, .clock = &clock});
  over.wait();
}

/// Also what a killed process had started: it goes on and writes where we look afterwards.
int wait_for_all(pid_t child) {
  int status = 0;
  for (int other = 0;;) {
    const pid_t ended = ::waitpid(-1, &other, 0);
    if (ended == child) {
      status = other;
    } else if (ended < 0 && errno == ECHILD) {
      return status;
    }
  }
}

void add(LifeNotes& life, const std::string& what, std::istringstream& rest) {
  if (what == "killed") {
    std::getline(rest >> std::ws, life.killed);
    return;
  }
  std::uint64_t offset = 0;
  VIBES_ASSERT(rest >> offset);
  if (what == "start") {
    VIBES_ASSERT(!life.start);  // a consumer that failed would start anew
    life.start = offset;
  } else if (what == "handled") {
    life.handled.push_back(offset);
  } else if (what == "committing") {
    life.committing = offset;
  } else if (what == "committed") {
    life.committing.reset();
    life.committed.push_back(offset);
  }
}

}  // namespace

void make_log(const std::string& dir, const std::vector<std::string>& events) {
  UnsyncedFileSystem files;
  LifeClock clock;
  const auto log = open_log(dir, files, clock);
  for (const std::string& payload : events) {
    auto checked = event::check(payload);
    VIBES_ASSERT(checked);
    checked->event_id = name_uuid(kUrlNamespace, std::to_string(log->end().value()));
    std::promise<bool> answer;
    VIBES_ASSERT(log->append({*std::move(checked)}, [&answer](const auto& receipt) {
      answer.set_value(receipt.has_value());
    }));
    VIBES_ASSERT(answer.get_future().get());
    clock.now_us += kApartUs;
  }
}

LifeEnd live(const ConsumerRow& row, const std::string& dir, std::uint64_t events,
             std::uint64_t number, const DieAt& die_at) {
  VIBES_ASSERT(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
  const pid_t child = ::fork();
  VIBES_ASSERT(child >= 0);
  if (child == 0) {
    Steps steps(dir + "/notes", die_at);
    steps.note("life " + std::to_string(number));
    live_here(row, dir, events, steps, number);
    ::_exit(0);
  }
  const int status = wait_for_all(child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return LifeEnd::killed;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? LifeEnd::over : LifeEnd::failed;
}

std::vector<LifeNotes> read_notes(const std::string& dir) {
  std::ifstream file(dir + "/notes");
  std::vector<LifeNotes> lives;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "life") {
      lives.emplace_back();
    } else {
      add(lives.back(), what, words);
    }
  }
  return lives;
}

std::vector<std::string> result_of(const ConsumerRow& row, const std::string& dir) {
  const auto log = eventlog::open_log_read_only("file:" + dir + "/log");
  VIBES_ASSERT(log);
  std::vector<std::string> lines = row.result ? row.result(dir, **log) : std::vector<std::string>();
  if (row.effects) {
    std::vector<std::string> effects;
    for (const Effect& effect : row.effects(dir)) {
      effects.push_back(std::to_string(effect.offset) + effect.what);
    }
    std::ranges::sort(effects);
    const auto again = std::ranges::unique(effects);
    effects.erase(again.begin(), again.end());
    lines.insert(lines.end(), effects.begin(), effects.end());
  }
  return lines;
}

}  // namespace vibes::test
