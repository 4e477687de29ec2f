// SPDX-License-Identifier: MIT
// usage: bench_peers_size [--json FILE] [--runs N] [--only PART] [--size GIB] [--log DIR] [--long]
//
// What does not get worse with size: starting on and seeking in a large log, the memory of a server
// and of its clients, and the rates at a million and at ten million stored events.
#include <cstdio>
#include <string>
#include <vector>

#include "claim.hpp"
#include "peers/peer_options.hpp"
#include "peers/size_parts.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

int run(int argc, char** argv) {
  CLI::App app("What vibes-server does on large logs and with many clients", "bench_peers_size");
  PeerOptions options;
  double gib = 10;
  std::filesystem::path kept;
  std::uint64_t unit = 1'000'000;
  bool also_100 = false;
  app.add_option("--size", gib, "Of the large log, in GiB")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option(
      "--log", kept,
      "Use the large log in this directory, which is made where there is none, and kept");
  app.add_option("--unit", unit, "Events of the smallest log whose growth is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--long", also_100,
               "Measure growth to a hundred times as many too, not just to ten");
  const std::string json = parse_peer_options(
      app, argc, argv, {"start", "seek", "memory", "load", "crowd", "growth"}, options);
  const Scratch scratch({options.dir, "/tmp"});
  const VibesHome home{scratch.path(0), scratch.path(1), options.server, {}};
  std::vector<Claim> claims;
  if (options.wants("start") || options.wants("seek")) {
    const std::string large =
        large_log(kept.empty() ? scratch.path(0) / "large" : std::filesystem::absolute(kept), gib);
    if (options.wants("start")) {
      measure_start(claims, {home.directory, home.sockets, home.server, large}, options.runs);
    }
    if (options.wants("seek")) {
      measure_seek(claims, large, options.runs);
    }
  }
  if (options.wants("memory")) {
    measure_memory(claims, home, options.runs);
  }
  if (options.wants("load")) {
    measure_load(claims, home);
  }
  if (options.wants("crowd")) {
    measure_crowd(claims, home);
  }
  if (options.wants("growth")) {
    std::vector<std::uint64_t> sizes{unit, 10 * unit};
    if (also_100) {
      sizes.push_back(100 * unit);
    }
    measure_growth(claims, home, sizes, options.runs);
  }
  return report_claims("peers_size", claims, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
