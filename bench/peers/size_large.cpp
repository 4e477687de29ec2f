// SPDX-License-Identifier: MIT
// The parts of bench_peers_size about a large log.
#include <algorithm>
#include <csignal>
#include <random>
#include <vector>

#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "peers/made_log.hpp"
#include "peers/size_parts.hpp"
#include "report.hpp"

namespace vibes::bench {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

Claim of_ours(const std::string& what, double bound) {
  return {.line = 8,
          .what = what,
          .unit = "ms",
          .peer = {},
          .ours = {},
          .theirs = {},
          .wanted = Claim::Wanted::at_most,
          .bound = bound};
}

struct Target {
  Offset offset;
  Uuid event_id;
  Timestamp time;
};

Target target_at(eventlog::EventLog& log, const eventlog::Position& position) {
  auto reader = log.reader(position);
  if (!reader) {
    die("seek: " + reader.error().message());
  }
  const auto batch = (*reader)->read({.events_max = 1});
  if (!batch || batch->events.empty()) {
    die("seek: nothing is there");
  }
  const event::EventView& found = batch->events.front();
  return {found.offset, found.event_id, found.time};
}

std::vector<Target> random_targets(eventlog::EventLog& log, std::size_t count) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::uint64_t> anywhere(log.first().value(), log.end().value() - 1);
  std::vector<Target> targets;
  while (targets.size() < count) {
    targets.push_back(target_at(log, Offset{anywhere(random)}));
  }
  return targets;
}

/// The median of the seeks to the targets, each up to the event in hand; the first, which may have
/// to build an index, does not count. Not longer than ten seconds.
template <class ToPosition>
double seek_ms(eventlog::EventLog& log, const std::vector<Target>& targets,
               const ToPosition& position) {
  constexpr double kWithinUs = 10e6;
  (void)target_at(log, position(targets.front()));
  std::vector<double> samples;
  const double began = now_us();
  for (auto target = targets.begin(); target != targets.end() && now_us() < began + kWithinUs;
       ++target) {
    const double start = now_us();
    const Target found = target_at(log, position(*target));
    samples.push_back((now_us() - start) / 1e3);
    if (found.time != target->time) {
      die("a seek went elsewhere");
    }
  }
  return percentile(samples, 50);
}

}  // namespace

std::string large_log(const std::filesystem::path& directory, double gib) {
  if (!std::filesystem::exists(directory)) {
    make_log(directory, {.bytes = static_cast<std::uint64_t>(gib * kGiB)});
  }
  return directory;
}

void measure_start(std::vector<Claim>& claims, const VibesHome& home, unsigned runs) {
  Claim clean = of_ours("start on a large log, after a clean stop", 200);
  Claim killed = of_ours("start on a large log, after SIGKILL", 1'000);
  { const VibesHere settle(home, {"--auth", "none"}); }
  for (unsigned i = 0; i < runs; ++i) {
    VibesHere server(home, {"--auth", "none"});
    clean.ours.push_back(server.started_us() / 1e3);
    (void)run_producers(server.tcp(), 64, 64, 0.5);
    server.process().stop(SIGKILL);
    const VibesHere again(home, {"--auth", "none"});
    killed.ours.push_back(again.started_us() / 1e3);
  }
  claims.push_back(std::move(clean));
  claims.push_back(std::move(killed));
}

void measure_seek(std::vector<Claim>& claims, const std::string& log_directory, unsigned runs) {
  constexpr std::size_t kTargets = 200;
  Claim by_time = of_ours("seek in a large log by time, p50", 5);
  Claim by_id = of_ours("seek in a large log by event_id, p50", 5);
  const auto log = open_made_log(log_directory);
  const std::vector<Target> targets = random_targets(*log, kTargets);
  for (unsigned i = 0; i < runs; ++i) {
    by_time.ours.push_back(
        seek_ms(*log, targets, [](const Target& t) { return eventlog::AtTime{t.time}; }));
    by_id.ours.push_back(
        seek_ms(*log, targets, [](const Target& t) { return eventlog::AtEventId{t.event_id}; }));
  }
  claims.push_back(std::move(by_time));
  claims.push_back(std::move(by_id));
}

}  // namespace vibes::bench
