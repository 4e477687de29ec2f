// SPDX-License-Identifier: MIT
// The part of bench_peers_size about growth.
#include <algorithm>
#include <memory>
#include <string>

#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "peers/made_log.hpp"
#include "peers/past_reader.hpp"
#include "peers/size_parts.hpp"

namespace vibes::bench {
namespace {

constexpr double kAppendSeconds = 0.5;
constexpr std::size_t kInFlight = 4'096;

/// A log of so many events, its server, and what it did in each run.
struct Grown {
  std::uint64_t events = 0;
  std::unique_ptr<VibesHere> server = {};
  std::vector<double> appends = {};
  std::vector<double> catch_ups = {};
};

std::string in_millions(std::uint64_t events) { return std::to_string(events / 1'000'000) + " M"; }

std::vector<Grown> grow(const VibesHome& home, const std::vector<std::uint64_t>& sizes) {
  std::vector<Grown> all;
  for (const std::uint64_t events : sizes) {
    const std::string name = std::to_string(events);
    VibesHome own{home.directory / name, home.sockets / name, home.server,
                  home.directory / name / "log"};
    std::filesystem::create_directories(own.directory);
    std::filesystem::create_directories(own.sockets);
    std::filesystem::permissions(own.sockets, std::filesystem::perms::owner_all);
    make_log(own.log, {.events = events});
    warm_up(own.log);
    Grown grown{.events = events};
    grown.server = std::make_unique<VibesHere>(
        own, std::vector<std::string>{"--auth", "none", "--durability", "os"});
    grown.server->await_consumers();
    all.push_back(std::move(grown));
  }
  return all;
}

Claim beside_smallest(const Grown& grown, const Grown& smallest, const std::string& what) {
  return {.line = 9,
          .what = what + " at " + in_millions(grown.events),
          .unit = "1/s",
          .peer = "at " + in_millions(smallest.events),
          .ours = {},
          .theirs = {},
          .bound = 0.9};
}

}  // namespace

// Each size in turn, and as many events of each: those that the smallest had at first.
void measure_growth(std::vector<Claim>& claims, const VibesHome& home,
                    const std::vector<std::uint64_t>& sizes, unsigned runs) {
  std::vector<Grown> all = grow(home, sizes);
  const std::uint64_t read = all.front().events;
  for (unsigned i = 0; i < runs; ++i) {
    for (Grown& grown : all) {
      grown.catch_ups.push_back(
          1e6 * static_cast<double>(read) /
          catch_up_us(grown.server->port(), grown.events - read, grown.events));
    }
    for (Grown& grown : all) {
      grown.appends.push_back(
          run_producers(grown.server->tcp(), 1, kInFlight, kAppendSeconds).events_per_second);
    }
  }
  for (auto grown = all.begin() + 1; grown != all.end(); ++grown) {
    Claim appends = beside_smallest(*grown, all.front(), "append, 4,096 in flight,");
    appends.ours = grown->appends;
    appends.theirs = all.front().appends;
    claims.push_back(std::move(appends));
    Claim catch_up = beside_smallest(*grown, all.front(), "catch-up");
    catch_up.ours = grown->catch_ups;
    catch_up.theirs = all.front().catch_ups;
    claims.push_back(std::move(catch_up));
  }
}

}  // namespace vibes::bench
