// SPDX-License-Identifier: MIT
// usage: bench_peers_append [--runs N] [--seconds S] [--only PART]… [--json FILE]
//
// Appending beside Redis, NATS JetStream, SQLite and what the machine allows: lines 1, 2 and 3 of
// docs/performance.md. With `--json X.json` what the plot of docs/performance.md is drawn from is
// left in X.figures.json.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "claim.hpp"
#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "measure_options.hpp"
#include "options.hpp"
#include "peers/limits.hpp"
#include "peers/load.hpp"
#include "peers/programs.hpp"
#include "peers/sqlite_load.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

constexpr const char* kOurs = "vibes";
constexpr const char* kOursOs = "vibes, os";
constexpr const char* kRedis = "Redis, appendfsync always";
constexpr const char* kJetStream = "NATS JetStream";
constexpr const char* kSqlite = "SQLite, WAL, synchronous=FULL";
constexpr const char* kRaw = "the raw reference";

/// One number is measured of one system at one load.
struct Point {
  std::string system;
  std::size_t connections = 1;
  std::size_t window = 1;
  auto operator<=>(const Point&) const = default;
};

/// A claim before it is measured.
struct Promise {
  std::string part;
  int line;
  const char* what;
  Point ours;
  const char* peer;  // nullptr: nobody
  double LoadResult::*value;
  Claim::Wanted wanted;
  double bound;
};

std::vector<Promise> promises() {
  using enum Claim::Wanted;
  constexpr auto kRate = &LoadResult::events_per_second;
  constexpr auto kAck = &LoadResult::ack_p50_us;
  const char* const thousand = "1,000 in flight from one connection";
  const char* const hundred = "100 in flight from one connection";
  return {
      {"depth-1000", 1, thousand, {kOurs, 1, 1'000}, kRedis, kRate, at_least, 10},
      {"depth-1000", 1, thousand, {kOurs, 1, 1'000}, kJetStream, kRate, at_least, 3},
      {"depth-1000", 1, thousand, {kOurs, 1, 1'000}, kRaw, kRate, at_least, 0.5},
      {"depth-100", 1, hundred, {kOurs, 1, 100}, kRedis, kRate, at_least, 3},
      {"depth-100", 1, hundred, {kOurs, 1, 100}, kSqlite, kRate, at_least, 1},
      {"connections",
       1,
       "100 connections, 1 in flight",
       {kOurs, 100, 1},
       kRedis,
       kRate,
       at_least,
       1.3},
      {"ack", 2, "1 in flight, ack p50", {kOurs, 1, 1}, kRaw, kAck, at_most, 1.15},
      {"ack", 2, "1 in flight, ack p50", {kOurs, 1, 1}, kRedis, kAck, at_most, 0.7},
      {"os",
       3,
       "4,096 in flight, durability os",
       {kOursOs, 1, 4'096},
       nullptr,
       kRate,
       at_least,
       1e6},
  };
}

/// What is measured, started when it is first asked for, each in a directory of its own.
class Systems {
 public:
  Systems(const MeasureOptions& plan, std::filesystem::path directory)
      : plan_(plan), directory_(std::move(directory)) {}

  /// Empty: it can be measured.
  static std::string why_not(const std::string& system) {
    if (system == kRedis && !on_path("redis-server")) {
      return "redis-server is not installed";
    }
    return system == kJetStream && !has_nats() ? "nats-server is not installed" : "";
  }

  LoadResult measure(const Point& point, double seconds) {
    if (point.system == kSqlite) {
      settle(directory_);
      warm_memory();
      const int per_transaction = static_cast<int>(point.window);
      return {.events_per_second =
                  run_sqlite(directory_ / "sqlite", event_, per_transaction, seconds)};
    }
    const Endpoint to = endpoint(point.system);  // what its start writes belongs to what is settled
    for (const auto& [system, process] : running_) {
      process->await_idle();
    }
    settle(directory_);
    warm_memory();
    return run_load(to, {point.connections, point.window, seconds});
  }

 private:
  std::unique_ptr<PeerProcess> start(const std::string& system) const {
    if (system == kOurs) {
      return start_vibes(directory_ / "vibes", plan_.server, "fsync");
    }
    if (system == kOursOs) {
      return start_vibes(directory_ / "vibes-os", plan_.server, "os");
    }
    if (system == kRedis) {
      return start_redis(directory_ / "redis", "always");
    }
    return system == kJetStream ? start_jetstream(directory_ / "nats")
                                : start_raw_reference(directory_ / "raw");
  }

  Endpoint endpoint(const std::string& system) {
    std::unique_ptr<PeerProcess>& process = running_[system];
    if (!process) {
      process = start(system);
    }
    const int port = process->port();
    if (system == kRedis) {
      return redis_xadd(port, event_);
    }
    if (system == kJetStream) {
      return jetstream_publish(port, event_);
    }
    return system == kRaw ? raw_append(port, event_) : websocket_append(port, event_);
  }

  const MeasureOptions& plan_;
  std::filesystem::path directory_;
  std::string event_ = sample_event(1);
  std::map<std::string, std::unique_ptr<PeerProcess>> running_;
};

using Results = std::map<Point, std::vector<LoadResult>>;

Point theirs(const Promise& promise) {
  return {promise.peer, promise.ours.connections, promise.ours.window};
}

void add_once(std::vector<Point>& points, const Point& point) {
  if (Systems::why_not(point.system).empty() && std::ranges::find(points, point) == points.end()) {
    points.push_back(point);
  }
}

std::vector<Point> points_of_claims(const MeasureOptions& plan) {
  std::vector<Point> points;
  for (const Promise& promise : promises()) {
    if (plan.wants(promise.part)) {
      add_once(points, promise.ours);
      if (promise.peer != nullptr) {
        add_once(points, theirs(promise));
      }
    }
  }
  return points;
}

std::vector<double> values(const std::vector<LoadResult>& results, double LoadResult::*value) {
  std::vector<double> all;
  for (const LoadResult& result : results) {
    all.push_back(result.*value);
  }
  return all;
}

std::vector<Claim> claims(const MeasureOptions& plan, const Results& results) {
  std::vector<Claim> all;
  for (const Promise& promise : promises()) {
    if (!plan.wants(promise.part)) {
      continue;
    }
    Claim claim;
    claim.line = promise.line;
    claim.what = promise.what;
    claim.unit = promise.value == &LoadResult::ack_p50_us ? "us" : "1/s";
    claim.peer = promise.peer == nullptr ? "" : promise.peer;
    claim.wanted = promise.wanted;
    claim.bound = promise.bound;
    claim.left_out = Systems::why_not(claim.peer);
    if (claim.left_out.empty()) {
      claim.ours = values(results.at(promise.ours), promise.value);
      if (promise.peer != nullptr) {
        claim.theirs = values(results.at(theirs(promise)), promise.value);
      }
    }
    all.push_back(std::move(claim));
  }
  return all;
}

std::vector<Point> points_of_depths() {
  std::vector<Point> points;
  for (const std::size_t window : {1U, 10U, 100U, 1'000U, 4'096U}) {
    for (const char* system : {kOurs, kOursOs, kRedis, kJetStream, kRaw}) {
      add_once(points, {system, 1, window});
    }
  }
  return points;
}

Results measure(Systems& systems, const std::vector<Point>& points, unsigned runs, double seconds) {
  Results results;
  for (unsigned run = 0; run < runs; ++run) {
    for (const Point& point : points) {
      results[point].push_back(systems.measure(point, seconds));
    }
  }
  return results;
}

std::vector<Figure> figures(const Results& results) {
  std::vector<Figure> all;
  for (const auto& [point, runs] : results) {
    std::vector<double> rates = values(runs, &LoadResult::events_per_second);
    const double middle = percentile(rates, 50);
    all.push_back({.name = std::to_string(point.window) + " in flight, " + point.system,
                   .value = middle,
                   .unit = "1/s",
                   .spread = {{rates.front(), rates.back()}}});
  }
  return all;
}

int run(int argc, char** argv) {
  MeasureOptions plan{.only = {"depth-1000", "depth-100", "connections", "ack", "os", "depths"}};
  CLI::App app("Appending beside other systems", "bench_peers_append");
  add_measure_options(app, plan, "What to measure");
  const std::string json = parse_or_exit(app, argc, argv);
  plan.server = std::filesystem::absolute(plan.server);

  const Scratch scratch({std::filesystem::current_path()});
  Systems systems(plan, scratch.path(0));
  const Results results = measure(systems, points_of_claims(plan), plan.runs, plan.seconds);
  int status = report_claims("peers_append", claims(plan, results), json);
  if (plan.wants("depths")) {
    // A plot wants many points rather than sharp ones.
    const Results depths =
        measure(systems, points_of_depths(), std::min(plan.runs, 3U), plan.seconds / 3);
    const std::string beside =
        json.empty() ? "" : std::filesystem::path(json).replace_extension(".figures.json").string();
    status = std::max(status, report("appends by depth", figures(depths), beside));
  }
  return status;
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
