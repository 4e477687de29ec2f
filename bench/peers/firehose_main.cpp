// SPDX-License-Identifier: MIT
// usage: bench_peers_firehose [--runs N] [--seconds S] [--only PART]… [--json FILE]
//
// From an append to who receives it, at 1,000 events a second, beside Redis, NATS and mosquitto and
// what the machine allows: line 5 of docs/performance.md. With `--json X.json` the percentiles that
// the plot is drawn from are left in X.figures.json.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "claim.hpp"
#include "firehose/server_process.hpp"
#include "measure_options.hpp"
#include "options.hpp"
#include "peers/delivery.hpp"
#include "peers/limits.hpp"
#include "peers/programs.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

/// One system, and how many receive.
struct Case {
  std::string part;
  std::string name;
  std::string needs;  // a program
  std::size_t receivers;
  std::function<std::unique_ptr<PeerProcess>()> start;
  std::function<Route(int port)> route;
  std::unique_ptr<PeerProcess> process = {};
  std::vector<double> p50 = {};  // one per run
  std::vector<double> p99 = {};
  std::vector<double> all = {};  // of all runs
};

constexpr const char* kFsync = "vibes";
constexpr const char* kOs = "vibes, os";
constexpr const char* kRedis = "Redis, appendfsync always";
constexpr const char* kHundred = "vibes, os, to 100";
constexpr std::size_t kCrowd = 100;

class Comparison {
 public:
  Comparison(const MeasureOptions& plan, const std::filesystem::path& directory)
      : plan_(plan), directory_(directory) {
    add("one", kFsync, "", 1, ours("fsync"), vibes_route);
    add("one", kOs, "", 1, ours("os"), vibes_route);
    add(
        "one", kRedis, "redis-server", 1, [this] { return start_redis(next(), "always"); },
        [this](int port) { return redis_stream_route(port, "e" + std::to_string(++streams_)); });
    const auto redis = [this] { return start_redis(next(), "no"); };
    add("hundred", kHundred, "", 100, ours("os"), vibes_route);
    add(
        "hundred", "NATS core, to 100", "nats-server", 100,
        [this] { return start_jetstream(next()); }, nats_core_route);
    add("hundred", "Redis pub/sub, to 100", "redis-server", 100, redis, redis_pubsub_route);
    add(
        "hundred", "mosquitto, to 100", "mosquitto", 100,
        [this] { return start_mosquitto(next()); }, mqtt_route);
  }

  void run_once() {
    settle(directory_);
    if (plan_.wants("one")) {
      limits_.push_back(write_and_sync_p50_us(directory_) + loopback_round_trip_p50_us());
      paced_syncs_.push_back(write_and_sync_p50_us(directory_, std::chrono::milliseconds(1)));
    }
    if (plan_.wants("hundred")) {
      crowd_sends_.push_back(crowd_send_p50_us(kCrowd));
    }
    for (Case& one : cases_) {
      if (!one.process) {
        one.process = one.start();
      }
      settle(directory_);
      std::vector<double> samples = run_delivery(
          one.route(one.process->port()), {.receivers = one.receivers, .seconds = plan_.seconds});
      one.p50.push_back(percentile(samples, 50));
      one.p99.push_back(percentile(samples, 99));
      one.all.insert(one.all.end(), samples.begin(), samples.end());
    }
  }

  [[nodiscard]] std::vector<Claim> claims() const {
    std::vector<Claim> all;
    if (plan_.wants("one")) {
      const Case& fsync = named(kFsync);
      const Case& os = named(kOs);
      all.push_back(beside("append to firehose, p50", "fdatasync and a round trip", 1.2));
      all.back().ours = fsync.p50;
      all.back().theirs = limits_;
      all.push_back(beside("append to firehose, p50", kRedis, 1));
      if (has(kRedis)) {
        all.back().ours = fsync.p50;
        all.back().theirs = named(kRedis).p50;
      } else {
        all.back().left_out = "redis-server is not installed";
      }
      all.push_back(alone("append to firehose, os, p50", os.p50, 90));
      all.push_back(alone("append to firehose, os, p99", os.p99, 230));
    }
    if (plan_.wants("hundred")) {
      all.push_back(alone("append to 100 firehoses, os, p99", named(kHundred).p99, 1'000));
    }
    return all;
  }

  /// What the machine takes for the parts of it, at the same pace.
  void print_limits() {
    print_limit("fdatasync of an event, a thousand a second", paced_syncs_);
    print_limit("an event to each of " + std::to_string(kCrowd) + " sockets, nothing else",
                crowd_sends_);
  }

  [[nodiscard]] std::vector<Figure> figures() {
    std::vector<Figure> all;
    for (Case& one : cases_) {
      for (const auto& [label, rank] :
           {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}}) {
        all.push_back({one.name + ", " + label, percentile(one.all, rank), "us"});
      }
    }
    return all;
  }

 private:
  void add(const std::string& part, const std::string& name, const std::string& needs,
           std::size_t receivers, std::function<std::unique_ptr<PeerProcess>()> start,
           std::function<Route(int)> route) {
    if (plan_.wants(part) && (needs.empty() || on_path(needs))) {
      cases_.push_back({part, name, needs, receivers, std::move(start), std::move(route)});
    }
  }
  static void print_limit(const std::string& what, std::vector<double>& medians) {
    if (!medians.empty()) {
      std::printf("%s, p50: %.0f us (%.0f to %.0f)\n", what.c_str(), percentile(medians, 50),
                  *std::ranges::min_element(medians), *std::ranges::max_element(medians));
    }
  }
  std::filesystem::path next() { return directory_ / std::to_string(++directories_); }
  std::function<std::unique_ptr<PeerProcess>()> ours(const std::string& durability) {
    return [this, durability] { return start_vibes(next(), plan_.server, durability); };
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::ranges::find(cases_, name, &Case::name) != cases_.end();
  }
  [[nodiscard]] const Case& named(const std::string& name) const {
    return *std::ranges::find(cases_, name, &Case::name);
  }

  static Claim beside(const std::string& what, const std::string& peer, double bound) {
    Claim claim;
    claim.line = 5;
    claim.what = what;
    claim.unit = "us";
    claim.peer = peer;
    claim.wanted = Claim::Wanted::at_most;
    claim.bound = bound;
    return claim;
  }
  static Claim alone(const std::string& what, const std::vector<double>& values, double bound) {
    Claim claim = beside(what, "", bound);
    claim.ours = values;
    return claim;
  }

  const MeasureOptions& plan_;
  std::filesystem::path directory_;
  int directories_ = 0;
  int streams_ = 0;
  std::vector<Case> cases_;
  std::vector<double> limits_;
  std::vector<double> paced_syncs_;
  std::vector<double> crowd_sends_;
};

int run(int argc, char** argv) {
  MeasureOptions plan{.only = {"one", "hundred"}};
  CLI::App app("From an append to who receives it, beside other systems", "bench_peers_firehose");
  add_measure_options(app, plan, "What to measure: one receiver, a hundred");
  const std::string json = parse_or_exit(app, argc, argv);
  plan.server = std::filesystem::absolute(plan.server);

  const Scratch scratch({std::filesystem::current_path()});
  Comparison comparison(plan, scratch.path(0));
  for (unsigned i = 0; i < plan.runs; ++i) {
    comparison.run_once();
  }
  comparison.print_limits();
  const std::string beside =
      json.empty() ? "" : std::filesystem::path(json).replace_extension(".figures.json").string();
  return std::max(report_claims("peers_firehose", comparison.claims(), json),
                  report("from append to receiver, all runs", comparison.figures(), beside));
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
