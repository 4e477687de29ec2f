// SPDX-License-Identifier: MIT
// The parts of bench_peers_size about memory and many clients.
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include <poll.h>

#include "firehose/producers.hpp"
#include "firehose/raw_client.hpp"
#include "peers/crowd.hpp"
#include "peers/size_parts.hpp"
#include "peers/wire.hpp"

namespace vibes::bench {
namespace {

const std::vector<std::string> kOptions{"--auth", "none", "--durability", "os"};

Claim at_most(const std::string& what, const std::string& unit, double bound) {
  return {.line = 8,
          .what = what,
          .unit = unit,
          .peer = {},
          .ours = {},
          .theirs = {},
          .wanted = Claim::Wanted::at_most,
          .bound = bound};
}

/// The same home with a new log, which is removed at the end.
class NewLog {
 public:
  explicit NewLog(const VibesHome& home) : home_(home) { home_.log = home.directory / "new-log"; }
  NewLog(const NewLog&) = delete;
  NewLog& operator=(const NewLog&) = delete;
  ~NewLog() {
    std::error_code ignored;
    std::filesystem::remove_all(home_.log, ignored);
  }
  [[nodiscard]] const VibesHome& home() const { return home_; }

 private:
  VibesHome home_;
};

double settled_kib(const VibesHere& server) {
  constexpr int kSettleMs = 500;
  ::poll(nullptr, 0, kSettleMs);
  return server.process().memory_kib("VmRSS");
}

void connect(Crowd<FrameCounter>& crowd, const VibesHere& server, std::size_t clients) {
  while (crowd.size() < clients) {
    crowd.add(open_websocket(server.port(), "/ws/firehose"), {});
  }
}

}  // namespace

void measure_memory(std::vector<Claim>& claims, const VibesHome& home, unsigned runs) {
  constexpr std::size_t kWarm = 50;
  constexpr std::size_t kClients = 1'000;
  Claim idle = at_most("RSS of an idle server", "MiB", 24);
  Claim each = at_most("RSS for each idle client", "KiB", 24);
  for (unsigned i = 0; i < runs; ++i) {
    const NewLog log(home);
    const VibesHere server(log.home(), kOptions);
    idle.ours.push_back(settled_kib(server) / 1024);
    append_all(server.tcp(), 20'000);  // so that what is allocated once is
    Crowd<FrameCounter> crowd;
    connect(crowd, server, kWarm);
    const double before = settled_kib(server);
    connect(crowd, server, kWarm + kClients);
    each.ours.push_back((settled_kib(server) - before) / kClients);
  }
  claims.push_back(std::move(idle));
  claims.push_back(std::move(each));
}

void measure_load(std::vector<Claim>& claims, const VibesHome& home) {
  constexpr double kSeconds = 5;
  const NewLog log(home);
  const VibesHere server(log.home(), kOptions);
  Crowd<FrameCounter> crowd;
  connect(crowd, server, 100);
  std::jthread producers([&] { (void)run_producers(server.tcp(), 64, 64, kSeconds); });
  crowd.read_for(kSeconds * 1e6);
  Claim claim = at_most("the most RSS under load", "MiB", 256);
  claim.ours.push_back(server.process().memory_kib("VmHWM") / 1024);
  claims.push_back(std::move(claim));
}

void measure_crowd(std::vector<Claim>& claims, const VibesHome& home) {
  constexpr std::size_t kClients = 10'000;
  constexpr double kWithinUs = 20e6;
  const NewLog log(home);
  const VibesHere server(log.home(), kOptions);
  Crowd<FrameCounter> crowd;
  connect(crowd, server, kClients);
  append_all(server.tcp(), 1);
  Claim claim{.line = 8,
              .what = "idle clients held, whom one event reaches",
              .unit = "clients",
              .peer = {},
              .ours = {},
              .theirs = {},
              .bound = kClients};
  claim.ours.push_back(static_cast<double>(crowd.read_until(1, kWithinUs)));
  claims.push_back(std::move(claim));
}

}  // namespace vibes::bench
