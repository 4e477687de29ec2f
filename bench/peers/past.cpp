// SPDX-License-Identifier: MIT
// usage: bench_peers_past [--json FILE] [--runs N] [--only PART] [--events N] [--log DIR]
//
// Reading what is stored, over a real vibes-server: one firehose client, and vibesctl tail, with
// and without a filter. The log is in the page cache.
#include <array>
#include <cstdio>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "claim.hpp"
#include "firehose/server_process.hpp"
#include "peers/made_log.hpp"
#include "peers/past_reader.hpp"
#include "peers/peer_options.hpp"
#include "peers/vibes_here.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

Claim of_ours(const std::string& what, double bound) {
  return {
      .line = 6, .what = what, .unit = "1/s", .peer = {}, .ours = {}, .theirs = {}, .bound = bound};
}

Command tail(const PeerOptions& options, const VibesHome& home,
             const std::vector<std::string>& more) {
  Command command{.words = {options.ctl, "tail", "-n", "all", "-e", "-o", "cat"},
                  .environment = environment_of(home)};
  command.words.insert(command.words.end(), more.begin(), more.end());
  return command;
}

/// `kept` or, where that is empty, one that is made for this run.
std::filesystem::path log_to_read(const std::filesystem::path& kept,
                                  const std::filesystem::path& scratch, std::uint64_t events) {
  const std::filesystem::path log = kept.empty() ? scratch / "log" : kept;
  if (!std::filesystem::exists(log)) {
    make_log(log, {.events = events});
  }
  warm_up(log);
  return log;
}

int run(int argc, char** argv) {
  CLI::App app("Reading what is stored through vibes-server", "bench_peers_past");
  PeerOptions options;
  std::uint64_t events = 10'000'000;
  std::filesystem::path kept;
  app.add_option("--events", events, "How many are stored")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--log", kept,
                 "Read the log in this directory, which is made with --events where there is none, "
                 "and kept");
  const std::string json =
      parse_peer_options(app, argc, argv, {"catch-up", "tail", "filtered"}, options);
  const Scratch scratch({options.dir, "/tmp"});
  const VibesHome home{
      scratch.path(0), scratch.path(1), options.server,
      log_to_read(kept.empty() ? kept : std::filesystem::absolute(kept), scratch.path(0), events)};
  VibesHere server(home, {"--durability", "os", "--auth", "none"});
  server.await_consumers();

  Claim reader = of_ours("catch-up, one reader", 2e6);
  Claim printed = of_ours("vibesctl tail -o cat", 1e6);
  Claim filtered = of_ours("vibesctl tail of 1 in 1,000, events scanned", 3e6);
  const auto rate = [events](double us) { return 1e6 * static_cast<double>(events) / us; };
  for (unsigned i = 0; i < options.runs; ++i) {
    if (options.wants("catch-up")) {
      reader.ours.push_back(rate(catch_up_us(server.port(), 0, events)));
    }
    if (options.wants("tail")) {
      printed.ours.push_back(rate(run_us(tail(options, home, {}))));
    }
    if (options.wants("filtered")) {
      filtered.ours.push_back(rate(run_us(tail(options, home, {"--types", kRareType}))));
    }
  }
  std::vector<Claim> claims{reader, printed, filtered};
  std::erase_if(claims, [](const Claim& claim) { return claim.ours.empty(); });
  return report_claims("peers_past", claims, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
