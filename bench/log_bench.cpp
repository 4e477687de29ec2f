// SPDX-License-Identifier: MIT
// What the file log can do in this process, beside what this machine can do at all: every run
// starts with a bare loop of pwrite and fdatasync, so that results can be read as ratios.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "eventlog/open.hpp"
#include "options.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace vibes;
using Clockwork = std::chrono::steady_clock;

constexpr std::size_t kEventBytes = 300;

double seconds_since(Clockwork::time_point start) {
  return std::chrono::duration<double>(Clockwork::now() - start).count();
}

struct Row {
  std::string name;
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

constexpr const char* kBare = "bare pwrite+fdatasync";

/// The figures of a run, each beside the machine's own.
class Report {
 public:
  void add(const Row& row) {
    figures_.push_back({row.name, row.per_second, "1/s", row.name == kBare ? "" : kBare});
    if (row.p50_us > 0) {
      figures_.push_back({row.name + ", p50", row.p50_us, "us"});
      figures_.push_back({row.name + ", p99", row.p99_us, "us"});
    }
  }
  void note(const std::string& name, double value, const std::string& unit) {
    figures_.push_back({name, value, unit});
  }
  [[nodiscard]] const std::vector<bench::Figure>& figures() const { return figures_; }

 private:
  std::vector<bench::Figure> figures_;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_log: error: %s\n", why.c_str());
  std::exit(1);
}

/// The machine's own limit: one write and one sync after the other, into space that was zeroed
/// before.
Row bare_loop(const std::string& dir, double seconds) {
  const std::string path = dir + "/bare";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const std::vector<char> zeros(1U << 20U);
  for (int i = 0; i < 64; ++i) {
    if (::pwrite(fd.get(), zeros.data(), zeros.size(), static_cast<off_t>(i) << 20) < 0) {
      die("cannot write");
    }
  }
  (void)::fdatasync(fd.get());
  const std::string record(kEventBytes + 128, 'x');
  std::vector<double> us;
  const auto start = Clockwork::now();
  off_t at = 0;
  while (seconds_since(start) < seconds) {
    const auto before = Clockwork::now();
    if (::pwrite(fd.get(), record.data(), record.size(), at) < 0 || ::fdatasync(fd.get()) != 0) {
      die("cannot write");
    }
    at = (at + static_cast<off_t>(record.size())) % (60 << 20);
    us.push_back(seconds_since(before) * 1e6);
  }
  const double took = seconds_since(start);
  std::filesystem::remove(path);
  return {kBare, static_cast<double>(us.size()) / took, bench::percentile(us, 50),
          bench::percentile(us, 99)};
}

event::NewEvent make_event() {
  event::NewEvent event;
  event.payload = R"({"type":"hook","session_id":"s-1","event":{"type":"pre_tool_use","x":")";
  event.payload.resize(kEventBytes - 3, 'x');
  event.payload += "\"}}";
  event.type = "hook";
  event.session = "s-1";
  return event;
}

struct Load {
  std::size_t producers = 1;
  std::size_t in_flight = 1;  // per producer
  double seconds = 2;
};

/// Producers that keep `in_flight` events unacknowledged each.
Row append_load(eventlog::EventLog& log, const std::string& name, const Load& load) {
  struct Producer {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t waiting = 0;
    std::vector<double> us;
  };
  std::vector<std::unique_ptr<Producer>> producers;
  std::vector<std::thread> threads;
  const auto start = Clockwork::now();
  const auto produce = [&](Producer& self) {
    const event::NewEvent event = make_event();
    while (seconds_since(start) < load.seconds) {
      {
        std::unique_lock lock(self.mutex);
        self.changed.wait(lock, [&] { return self.waiting < load.in_flight; });
        ++self.waiting;
      }
      const auto before = Clockwork::now();
      const auto taken = log.append({event}, [&self, before](auto receipt) {
        if (!receipt) {
          die(receipt.error().message());
        }
        const std::lock_guard lock(self.mutex);
        self.us.push_back(seconds_since(before) * 1e6);
        --self.waiting;
        self.changed.notify_one();
      });
      if (!taken) {
        const std::lock_guard lock(self.mutex);
        --self.waiting;  // the queue is full: try again
      }
    }
    std::unique_lock lock(self.mutex);
    self.changed.wait(lock, [&] { return self.waiting == 0; });
  };
  for (std::size_t i = 0; i < load.producers; ++i) {
    producers.push_back(std::make_unique<Producer>());
    threads.emplace_back(produce, std::ref(*producers.back()));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double took = seconds_since(start);
  std::vector<double> us;
  for (const auto& producer : producers) {
    us.insert(us.end(), producer->us.begin(), producer->us.end());
  }
  return {name, static_cast<double>(us.size()) / took, bench::percentile(us, 50),
          bench::percentile(us, 99)};
}

std::unique_ptr<eventlog::EventLog> open_at(const std::string& dir, const std::string& durability) {
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  options.durability = *eventlog::parse_durability_policy(durability);
  auto log = eventlog::open_log("file:" + dir, options);
  if (!log) {
    die(log.error().message());
  }
  return std::move(*log);
}

void fill_to(eventlog::EventLog& log, std::uint64_t bytes) {
  while (log.status().bytes < bytes) {
    std::promise<void> done;
    std::vector<event::NewEvent> batch(8'000, make_event());
    const auto taken = log.append(std::move(batch), [&](auto /*receipt*/) { done.set_value(); });
    if (!taken) {
      die(taken.error().message());
    }
    done.get_future().wait();
  }
}

Row catch_up(eventlog::EventLog& log, std::uint64_t events) {
  auto reader = log.reader(eventlog::Beginning{});
  if (!reader) {
    die(reader.error().message());
  }
  const auto start = Clockwork::now();
  std::uint64_t seen = 0;
  while (seen < events && (*reader)->position() < log.end()) {
    const auto batch = (*reader)->read({});
    if (!batch) {
      die(batch.error().message());
    }
    seen += batch->events.size();
  }
  const double took = seconds_since(start);
  return {"catch up, one reader", static_cast<double>(seen) / took};
}

double rss_mib() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages >> pages;
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

void run(Report& report, const std::string& dir, double seconds) {
  const Row bare = bare_loop(dir, seconds);
  report.add(bare);
  for (const std::string durability : {"fsync", "interval:100", "os"}) {
    const std::string log_dir = dir + "/" + durability.substr(0, 2);
    auto log = open_at(log_dir, durability);
    const Row waiting = append_load(*log, durability + ", 1 producer waiting", {1, 1, seconds});
    report.add(waiting);
    if (durability == "fsync") {
      report.note("bare loop / one waiting producer", bare.per_second / waiting.per_second,
                  "times");
    }
    for (const std::size_t producers : {1U, 8U, 64U}) {
      report.add(append_load(*log, durability + ", " + std::to_string(producers) + " pipelined",
                             {producers, 1'024, seconds}));
    }
    report.note("RSS after " + durability, rss_mib(), "MiB");
    log.reset();
    std::filesystem::remove_all(log_dir);
  }
  const std::string big = dir + "/big";
  auto log = open_at(big, "fsync");
  fill_to(*log, 1ULL << 30U);
  if (!log->close()) {
    die("cannot close");
  }
  log.reset();
  const auto start = Clockwork::now();
  const std::clock_t cpu_start = std::clock();
  log = open_at(big, "fsync");
  report.note("start on a 1 GiB log, clean, CPU time",
              1e3 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC, "ms");
  report.note("start on a 1 GiB log, clean", seconds_since(start) * 1e3, "ms");
  report.note("RSS after that start", rss_mib(), "MiB");
  report.add(catch_up(*log, 1'000'000));
  report.note("RSS after catching up", rss_mib(), "MiB");
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 2;
  std::string dir = std::filesystem::temp_directory_path();
  CLI::App app("What the file log can do in one process, beside the machine's own limit",
               "bench_log");
  app.add_option("--seconds", seconds, "Length of each measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--dir", dir, "Where the logs are made and removed again")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  const std::string json = bench::parse_or_exit(app, argc, argv);
  const bench::Scratch scratch({dir});
  Report report;
  run(report, scratch.path(0), seconds);
  return bench::report("log", report.figures(), json);
}
