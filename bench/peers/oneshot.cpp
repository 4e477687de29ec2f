// SPDX-License-Identifier: MIT
// usage: bench_peers_oneshot [--json FILE] [--runs N] [--only PART] [--lines N]
//
// One event from the command line, from spawn to exit: vibesctl append and vibesctl hook, which
// answer once the event is on disk, beside mosquitto_pub, whose event is nowhere but on its way;
// and a file of a million lines.
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "claim.hpp"
#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "peers/limits.hpp"
#include "peers/peer_options.hpp"
#include "peers/vibes_here.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

constexpr double kOwnUs = 1'200;  // what one event may cost beside the disk

/// One event of 300 bytes and a sync, in space that was zeroed before.
class SyncFile {
 public:
  explicit SyncFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string zeros(kBytes, '\0');
    if (::pwrite(fd_.get(), zeros.data(), zeros.size(), 0) < 0 || ::fdatasync(fd_.get()) != 0) {
      die(path);
    }
  }
  double once_us() {
    const double start = now_us();
    if (::pwrite(fd_.get(), event_.data(), event_.size(), at_) < 0 || ::fdatasync(fd_.get()) != 0) {
      die("fdatasync");
    }
    at_ = (at_ + static_cast<off_t>(event_.size())) % static_cast<off_t>(kBytes - kEventBytes);
    return now_us() - start;
  }

 private:
  static constexpr std::size_t kBytes = 1U << 20U;
  UniqueFd fd_;
  std::string event_ = sample_event(1);
  off_t at_ = 0;
};

std::string hook_payload() {
  std::string payload =
      R"({"session_id":"bench","cwd":"/home/u/p","hook_event_name":"PostToolUse",)"
      R"("tool_name":"Bash","tool_input":{"command":"make"},"tool_response":{"stdout":")";
  payload.append(kEventBytes - payload.size() - 3, 'x');
  return payload + "\"}}";
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush().good()) {
    die(path);
  }
}

/// The brokers beside us, each where it is installed.
class Peers {
 public:
  explicit Peers(const std::filesystem::path& directory) {
    if (on_path("mosquitto") && on_path("mosquitto_pub")) {
      mosquitto_port_ = free_port();
      const std::string config = directory / "mosquitto.conf";
      write_file(config, "listener " + std::to_string(mosquitto_port_) +
                             " 127.0.0.1\nallow_anonymous true\npersistence false\n"
                             "log_dest none\n");
      mosquitto_ = start({"mosquitto", "-c", config}, mosquitto_port_);
    }
    if (on_path("redis-server") && on_path("redis-cli")) {
      redis_port_ = free_port();
      redis_ = start(
          {"redis-server", "--bind", "127.0.0.1", "--port", std::to_string(redis_port_), "--dir",
           directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always"},
          redis_port_);
    }
  }
  [[nodiscard]] bool has_mosquitto() const { return mosquitto_ != nullptr; }
  [[nodiscard]] bool has_redis() const { return redis_ != nullptr; }
  [[nodiscard]] Command publish() const {
    return ask({"mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(mosquitto_port_), "-q",
                "0", "-t", "events", "-m", sample_event(1)});
  }
  [[nodiscard]] Command xadd() const {
    return ask({"redis-cli", "-h", "127.0.0.1", "-p", std::to_string(redis_port_), "XADD", "events",
                "*", "event", sample_event(1)});
  }

 private:
  static std::vector<std::string> environment() {
    const char* path = std::getenv("PATH");
    return {"PATH=" + std::string(path != nullptr ? path : "")};
  }
  static Command ask(std::vector<std::string> words) {
    return {.words = std::move(words), .environment = environment()};
  }
  static std::unique_ptr<Daemon> start(std::vector<std::string> words, int port) {
    auto daemon = std::make_unique<Daemon>(ask(std::move(words)));
    if (!daemon->await_listener(port)) {
      die("nobody listens on port " + std::to_string(port));
    }
    return daemon;
  }

  int mosquitto_port_ = 0;
  int redis_port_ = 0;
  std::unique_ptr<Daemon> mosquitto_;
  std::unique_ptr<Daemon> redis_;
};

/// A side of the comparison: its samples of one run, and the median of every run.
struct Side {
  Command command;
  bool there = true;
  std::vector<double> samples = {};
  std::vector<double> medians = {};
};

void close_run(std::vector<double>& samples, std::vector<double>& medians) {
  if (!samples.empty()) {
    medians.push_back(percentile(samples, 50));
    samples.clear();
  }
}

struct Single {
  Side append;
  Side hook;
  Side mosquitto;
  Side redis;
  std::vector<double> sync_medians;
};

/// In blocks, so that whatever the machine does meanwhile meets all sides alike.
void measure_once(Single& single, SyncFile& file, unsigned times) {
  constexpr unsigned kBlock = 20;
  const std::array sides{&single.append, &single.hook, &single.mosquitto, &single.redis};
  std::vector<double> syncs;
  for (unsigned done = 0; done < times; done += kBlock) {
    for (unsigned i = 0; i < kBlock; ++i) {
      syncs.push_back(file.once_us());
    }
    for (Side* side : sides) {
      for (unsigned i = 0; side->there && i < kBlock; ++i) {
        side->samples.push_back(run_us(side->command));
      }
    }
  }
  close_run(syncs, single.sync_medians);
  for (Side* side : sides) {
    close_run(side->samples, side->medians);
  }
}

void add_claims(std::vector<Claim>& claims, const std::string& what, const Side& ours,
                const Single& single) {
  Claim beside{.line = 7,
               .what = what + ", p50",
               .unit = "us",
               .peer = "mosquitto_pub -q 0, p50",
               .ours = ours.medians,
               .theirs = single.mosquitto.medians,
               .wanted = Claim::Wanted::at_most,
               .bound = 0.7,
               .alternative = true};
  beside.left_out = single.mosquitto.there ? "" : "no mosquitto and mosquitto_pub on $PATH";
  claims.push_back(beside);
  std::vector<double> budget = single.sync_medians;
  for (double& us : budget) {
    us += kOwnUs;
  }
  claims.push_back({.line = 7,
                    .what = what + ", p50",
                    .unit = "us",
                    .peer = "1.2 ms and one fdatasync",
                    .ours = ours.medians,
                    .theirs = std::move(budget),
                    .wanted = Claim::Wanted::at_most,
                    .bound = 1,
                    .alternative = true});
}

double lines_per_second(const PeerOptions& options, const VibesHome& home,
                        const std::filesystem::path& file, std::uint64_t lines) {
  return 1e6 * static_cast<double>(lines) /
         run_us({.words = {options.ctl, "append", "-l"},
                 .environment = environment_of(home),
                 .standard_input = file});
}

void write_lines(const std::filesystem::path& path, std::uint64_t lines) {
  std::ofstream file(path);
  for (std::uint64_t i = 0; i < lines; ++i) {
    file << sample_event(i) << '\n';
  }
  if (!file.flush().good()) {
    die(path);
  }
}

void measure_single(std::vector<Claim>& claims, const PeerOptions& options, const VibesHome& home,
                    unsigned times) {
  const VibesHere server(home, {});
  const Peers peers(home.directory);
  const std::string payload = home.directory / "payload";
  write_file(payload, hook_payload());
  SyncFile file(home.directory / "synced");
  const auto environment = environment_of(home);
  Single single;
  single.append.command = {.words = {options.ctl, "append", sample_event(1)},
                           .environment = environment};
  single.hook.command = {
      .words = {options.ctl, "hook"}, .environment = environment, .standard_input = payload};
  single.mosquitto = {peers.publish(), peers.has_mosquitto()};
  single.redis = {peers.xadd(), peers.has_redis()};
  for (unsigned i = 0; i < options.runs; ++i) {
    settle(home.directory);
    measure_once(single, file, times);
  }
  add_claims(claims, "vibesctl append", single.append, single);
  add_claims(claims, "vibesctl hook", single.hook, single);
  std::printf("one fdatasync, p50: %.0f us\n", percentile(single.sync_medians, 50));
  if (single.redis.there) {
    std::printf("redis-cli XADD, appendfsync always, p50: %.0f us\n",
                percentile(single.redis.medians, 50));
  }
}

void measure_lines(std::vector<Claim>& claims, const PeerOptions& options, const VibesHome& home,
                   std::uint64_t lines) {
  const VibesHere server(home, {});
  const std::filesystem::path file = home.directory / "lines";
  write_lines(file, lines);
  Claim claim{.line = 7,
              .what = "vibesctl append -l",
              .unit = "1/s",
              .peer = {},
              .ours = {},
              .theirs = {},
              .bound = 400'000};
  for (unsigned i = 0; i < options.runs; ++i) {
    settle(home.directory);
    warm_memory();
    claim.ours.push_back(lines_per_second(options, home, file, lines));
  }
  claims.push_back(std::move(claim));
}

int run(int argc, char** argv) {
  CLI::App app("One event from the command line, beside mosquitto_pub", "bench_peers_oneshot");
  PeerOptions options;
  std::uint64_t lines = 1'000'000;
  unsigned times = 200;
  app.add_option("--lines", lines, "Lines of the file that is appended")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--times", times, "How often each command is run in a run")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  const std::string json = parse_peer_options(app, argc, argv, {"single", "lines"}, options);
  const Scratch scratch({options.dir, "/tmp"});
  const VibesHome home{scratch.path(0), scratch.path(1), options.server, {}};
  std::vector<Claim> claims;
  if (options.wants("single")) {
    measure_single(claims, options, home, times);
  }
  if (options.wants("lines")) {
    measure_lines(claims, options, home, lines);
  }
  return report_claims("peers_oneshot", claims, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
