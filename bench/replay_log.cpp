// SPDX-License-Identifier: MIT
#include "replay_log.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "event/check.hpp"
#include "eventlog/open.hpp"

namespace vibes::bench {
namespace {

constexpr std::size_t kBatchEvents = 1'000;
constexpr std::int64_t kStartUs = 1'767'603'600'000'000;  // 2026-01-05T09:00:00Z
constexpr std::int64_t kBetweenUs = 10'000;
constexpr std::size_t kLeastEvents = 50;  // of a recorded session worth living

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_replay: error: %s\n", why.c_str());
  std::exit(1);
}

/// The time the log's maker says it is.
class SteppedClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {now_us_}; }
  [[nodiscard]] std::int64_t steady_ns() const override { return system_clock().steady_ns(); }
  void step(std::int64_t us) { now_us_ += us; }

 private:
  std::atomic<std::int64_t> now_us_{kStartUs};
};

using Life = std::vector<event::NewEvent>;

std::vector<Life> recorded_lives() {
  std::ifstream file(VIBES_SAMPLE_DAY);
  std::map<std::string, Life> lives;
  for (std::string line; std::getline(file, line);) {
    auto checked = event::check_ndjson(line);
    if (checked.refused || checked.events.size() != 1) {
      die("what was recorded is no event: " + line);
    }
    event::NewEvent one = event::copy_of(checked.events[0]);
    lives[one.session].push_back(std::move(one));
  }
  lives.erase("");
  std::vector<Life> found;
  for (auto& [session, life] : lives) {
    if (life.size() >= kLeastEvents) {
      found.push_back(std::move(life));
    }
  }
  if (found.empty()) {
    die("there are no sessions in " VIBES_SAMPLE_DAY);
  }
  return found;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

event::NewEvent relived(const event::NewEvent& recorded, std::size_t session, std::uint64_t round) {
  event::NewEvent made = recorded;
  made.session = fmt::format("sess-replayed-{:06}", session);
  replace_all(made.payload, recorded.session, made.session);
  replace_all(made.payload, "\"tool_", fmt::format("\"tool_{}_", round));
  return made;
}

void append(eventlog::EventLog& log, std::vector<event::NewEvent> batch) {
  std::promise<bool> answer;
  const auto taken = log.append(
      std::move(batch), [&](const auto& receipt) { answer.set_value(receipt.has_value()); });
  if (!taken || !answer.get_future().get()) {
    die("the log took no events");
  }
}

}  // namespace

void make_replay_log(const std::string& directory, const ReplayLog& what) {
  const std::vector<Life> lives = recorded_lives();
  SteppedClock clock;
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  options.durability = *eventlog::parse_durability_policy("os");
  options.clock = &clock;
  auto log = eventlog::open_log("file:" + directory, options);
  if (!log) {
    die(log.error().message());
  }
  std::vector<event::NewEvent> batch;
  for (std::uint64_t i = 0; i < what.events; ++i) {
    const std::size_t session = i % what.sessions;
    const Life& life = lives[session % lives.size()];
    // Not all in the same place of their lives.
    const std::uint64_t step = i / what.sessions + session * 7;
    batch.push_back(relived(life[step % life.size()], session, step / life.size()));
    if (batch.size() == kBatchEvents || i + 1 == what.events) {
      clock.step(kBetweenUs * static_cast<std::int64_t>(batch.size()));
      append(**log, std::exchange(batch, {}));
    }
  }
  if (const auto closed = (*log)->close(); !closed) {
    die(closed.error().message());
  }
}

}  // namespace vibes::bench
