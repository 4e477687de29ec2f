// SPDX-License-Identifier: MIT
// usage: bench_firehose [SERVER] [--json FILE]
//
// What a real vibes-server does with /ws/append and /ws/firehose, beside what this machine allows
// in the same run. SERVER is the program to measure; default: vibes-server beside this program.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "firehose/producers.hpp"
#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"
#include "loopback.hpp"
#include "options.hpp"
#include "report.hpp"

namespace vibes::bench {
namespace {

using Figures = std::vector<Figure>;
constexpr std::string_view kEventPrefix = R"({"type":"event")";

void add_latency(Figures& figures, const std::string& name, std::vector<double>& samples,
                 const std::string& limit) {
  figures.push_back({name + ", p50", percentile(samples, 50), "us", limit});
  figures.push_back({name + ", p99", percentile(samples, 99), "us", {}});
  figures.push_back({name + ", p99.9", percentile(samples, 99.9), "us", {}});
}

// --- The machine ---

struct SyncLoop {
  double p50_us = 0;
  double per_second = 0;
};

/// What an engine would reach that did nothing but store one event after the other.
SyncLoop write_and_sync() {
  std::string path = std::filesystem::current_path() / "vibes-bench-XXXXXX";
  const UniqueFd fd(::mkstemp(path.data()));
  ::unlink(path.c_str());
  if (::posix_fallocate(fd.get(), 0, 16 << 20) != 0) {
    die("posix_fallocate");
  }
  const std::string event = sample_event(1);
  std::vector<double> samples;
  const double began = now_us();
  for (int i = 0; i < 5'000; ++i) {
    const double start = now_us();
    if (::pwrite(fd.get(), event.data(), event.size(), static_cast<off_t>(event.size()) * i) < 0 ||
        ::fdatasync(fd.get()) != 0) {
      die("fdatasync");
    }
    samples.push_back(now_us() - start);
  }
  const double per_second = 1e6 * static_cast<double>(samples.size()) / (now_us() - began);
  return {percentile(samples, 50), per_second};
}

void measure_machine(Figures& figures) {
  auto round_trips = loopback_round_trips_us(5'000);
  const SyncLoop sync = write_and_sync();
  figures.push_back({"loopback round trip", percentile(round_trips, 50), "us", {}});
  figures.push_back({"pwrite+fdatasync of one event", sync.p50_us, "us", {}});
  figures.push_back({"pwrite+fdatasync loop", sync.per_second, "1/s", {}});
}

// --- Appending ---

void measure_appends(Figures& figures, const std::string& program) {
  for (const std::string durability : {"fsync", "interval:100", "os"}) {
    const ServerProcess server(program, {"--durability", durability});
    AppendRun single = run_producers(server.tcp(), 1, 1, 2);
    figures.push_back({durability + ", 1 producer waiting for each ack", single.events_per_second,
                       "1/s", durability == "fsync" ? "pwrite+fdatasync loop" : ""});
    add_latency(figures, durability + ", ack of one event", single.ack_us,
                durability == "fsync" ? "pwrite+fdatasync of one event" : "loopback round trip");
    AppendRun by_unix = run_producers(server.unix_socket(), 1, 1, 2);
    figures.push_back({durability + ", the same over the unix socket", by_unix.events_per_second,
                       "1/s", durability == "fsync" ? "pwrite+fdatasync loop" : ""});
    add_latency(figures, durability + ", ack of one event over the unix socket", by_unix.ack_us,
                durability == "fsync" ? "pwrite+fdatasync of one event" : "loopback round trip");
    for (const std::size_t producers : {1U, 8U, 64U}) {
      AppendRun run = run_producers(server.tcp(), producers, 4'096 / producers, 3);
      const std::string name = durability + ", " + std::to_string(producers) + " pipelined";
      figures.push_back({name, run.events_per_second, "1/s",
                         durability == "fsync" ? "pwrite+fdatasync loop" : ""});
      add_latency(figures, name + " ack", run.ack_us, "");
    }
  }
}

// --- From append to firehose ---

std::string timed_event() {
  std::string event = R"({"type":"note","session_id":"s","sent_us":)" +
                      std::to_string(static_cast<std::uint64_t>(now_us())) + R"(,"pad":")";
  event.append(kEventBytes - event.size() - 2, 'x');
  return event + "\"}";
}

void measure_latency(Figures& figures, const std::string& program, const std::string& durability) {
  constexpr std::uint64_t kEvents = 5'000;
  constexpr double kEveryUs = 1'000;  // 1,000 a second
  const ServerProcess server(program, {"--durability", durability});
  RawClient firehose(server.tcp(), "/ws/firehose?from=end");
  RawClient producer(server.tcp(), "/ws/append");
  std::jthread acks([&producer] {
    std::uint64_t seen = 0;
    while (producer.count(R"({"type")", seen)) {
    }
  });
  std::jthread pace([&producer] {
    double next = now_us();
    for (std::uint64_t i = 0; i < kEvents; ++i, next += kEveryUs) {
      while (now_us() < next) {
        std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(next - now_us()));
      }
      producer.send(client_frame(timed_event()));
    }
  });
  std::vector<double> samples;
  while (samples.size() < kEvents) {
    firehose.receive([&samples](std::string_view text) {
      const std::size_t at = text.find("\"sent_us\":");
      if (at != std::string_view::npos) {
        std::uint64_t sent = 0;
        std::from_chars(text.data() + at + 10, text.data() + text.size(), sent);
        samples.push_back(now_us() - static_cast<double>(sent));
      }
    });
  }
  ::shutdown(producer.fd(), SHUT_RDWR);
  add_latency(figures, durability + ", append to firehose at 1,000/s", samples,
              durability == "fsync" ? "pwrite+fdatasync of one event" : "loopback round trip");
}

// --- Many clients ---

std::vector<std::unique_ptr<RawClient>> connect_clients(const Address& server, std::size_t count,
                                                        const std::string& path) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(server, path));
    clients.back()->set_nonblocking();
  }
  return clients;
}

/// Until every client has `expected` events; returns how many came in all.
std::uint64_t read_all(std::vector<std::unique_ptr<RawClient>>& clients, std::uint64_t expected) {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<std::uint64_t> counts(clients.size());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    epoll_event event{EPOLLIN, {.u64 = i}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, clients[i]->fd(), &event);
  }
  std::size_t done = 0;
  std::array<epoll_event, 256> events{};
  while (done < clients.size()) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const std::size_t client = events[static_cast<std::size_t>(i)].data.u64;
      const std::uint64_t before = counts[client];
      if (!clients[client]->count(kEventPrefix, counts[client])) {
        die("a client was disconnected");
      }
      done += before < expected && counts[client] >= expected ? 1U : 0U;
    }
  }
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts) {
    all += count;
  }
  return all;
}

void measure_fan_out(Figures& figures, const std::string& program) {
  for (const auto& [clients, events] :
       {std::pair<std::size_t, std::uint64_t>{1, 200'000}, {100, 50'000}, {1'000, 5'000}}) {
    const ServerProcess server(program, {"--durability", "os"});
    auto connected = connect_clients(server.tcp(), clients, "/ws/firehose?from=end");
    const double start = now_us();
    std::jthread append([&server, count = events] { append_all(server.tcp(), count); });
    const std::uint64_t delivered = read_all(connected, events);
    figures.push_back({"fan-out to " + std::to_string(clients),
                       static_cast<double>(delivered) / ((now_us() - start) / 1e6),
                       "1/s",
                       {}});
  }
}

void measure_idle_memory(Figures& figures, const std::string& program) {
  const ServerProcess server(program, {"--durability", "os"});
  append_all(server.tcp(), 20'000);  // so that what is allocated once is
  auto warm = connect_clients(server.tcp(), 50, "/ws/firehose");
  const std::size_t before = server.rss_bytes();
  constexpr std::size_t kClients = 1'000;
  auto idle = connect_clients(server.tcp(), kClients, "/ws/firehose");
  const double each = static_cast<double>(server.rss_bytes() - before) / kClients;
  figures.push_back({"memory per idle client", each / 1024, "KiB", {}});
}

// --- The past ---

void measure_lag_and_catch_up(Figures& figures, const std::string& program) {
  constexpr std::uint64_t kEvents = 1'000'000;
  constexpr double kMiB = 1024.0 * 1024.0;
  const ServerProcess server(program, {"--durability", "os"});
  RawClient slow(server.tcp(), "/ws/firehose?from=end");  // does not read
  // First so many that what the log itself remembers (the last 1,000,000 event ids) is there.
  append_all(server.tcp(), kEvents);
  const double before = static_cast<double>(server.rss_bytes());
  append_all(server.tcp(), kEvents);
  const double after = static_cast<double>(server.rss_bytes());
  figures.push_back({"RSS before the lag", before / kMiB, "MiB", {}});
  figures.push_back(
      {"RSS growth while a client lags by 1,000,000", (after - before) / kMiB, "MiB", {}});

  std::uint64_t seen = 0;
  double start = now_us();
  while (seen < 2 * kEvents && slow.count(kEventPrefix, seen)) {
  }
  figures.push_back({"the lagging client catches up",
                     static_cast<double>(seen) / ((now_us() - start) / 1e6),
                     "1/s",
                     {}});
  if (seen != 2 * kEvents) {
    die("the lagging client lost events");
  }
  for (const std::string shape : {"", "&batch=1"}) {
    RawClient reader(server.tcp(), "/ws/firehose?from=0&until=1000000" + shape);
    start = now_us();
    bool ended = false;
    while (!ended && reader.receive([&ended](std::string_view text) {
      ended = ended || text.starts_with(R"({"type":"end")");
    })) {
    }
    figures.push_back({"catch-up over 1,000,000" + std::string(shape.empty() ? "" : ", batches"),
                       kEvents / ((now_us() - start) / 1e6),
                       "1/s",
                       {}});
  }
}

int run(int argc, char** argv) {
  std::string program = std::filesystem::canonical("/proc/self/exe").parent_path() / "vibes-server";
  CLI::App app("From append to firehose through a real vibes-server", "bench_firehose");
  app.add_option("server", program, "The vibes-server to measure")->capture_default_str();
  const std::map<std::string, std::function<void(Figures&)>> parts{
      {"appends", [&](Figures& f) { measure_appends(f, program); }},
      {"latency",
       [&](Figures& f) {
         measure_latency(f, program, "fsync");
         measure_latency(f, program, "os");
       }},
      {"fan-out", [&](Figures& f) { measure_fan_out(f, program); }},
      {"memory", [&](Figures& f) { measure_idle_memory(f, program); }},
      {"catch-up", [&](Figures& f) { measure_lag_and_catch_up(f, program); }}};
  std::vector<std::string> only{"appends", "latency", "fan-out", "memory", "catch-up"};
  app.add_option("--only", only, "What to measure beside the machine")
      ->check(CLI::IsMember(only))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  const std::string json = parse_or_exit(app, argc, argv);
  program = std::filesystem::absolute(program);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  Figures figures;
  measure_machine(figures);
  for (const std::string& part : only) {
    parts.at(part)(figures);
  }
  return report("firehose", figures, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
