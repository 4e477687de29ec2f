// SPDX-License-Identifier: MIT
// usage: bench_peers_fanout [--json FILE] [--runs N] [--only CLIENTS] [--deliveries N]
//
// One producer, many subscribers: vibes-server's firehose beside NATS core and beside a server that
// only writes, all read by the same kind of reader, one thread with epoll.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

#include "claim.hpp"
#include "firehose/producers.hpp"
#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"
#include "peers/burst_server.hpp"
#include "peers/crowd.hpp"
#include "peers/fanout_events.hpp"
#include "peers/peer_options.hpp"
#include "peers/programs.hpp"
#include "peers/vibes_here.hpp"
#include "peers/wire.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

struct FanOut {
  std::size_t clients = 0;
  std::uint64_t events = 0;  // published; each client gets them all, or half with the filter
};

struct Rate {
  double per_second = 0;   // deliveries
  double cpu_ns_each = 0;  // of the server's, where it was asked for
};

/// `publish` in a thread of its own while the crowd reads until each has `expected`.
template <class Counter>
double deliveries_per_second(Crowd<Counter>& crowd, std::uint64_t expected,
                             const std::function<void()>& publish) {
  // A firehose that has just been opened waits a moment for what its client may ask.
  constexpr int kSettleMs = 250;
  ::poll(nullptr, 0, kSettleMs);
  const double start = now_us();
  std::jthread publisher(publish);
  crowd.read_until(expected);
  const double took = now_us() - start;
  return 1e6 * static_cast<double>(expected * crowd.size()) / took;
}

// --- Ours ---

std::uint64_t acknowledged(std::string_view answer) {
  const std::size_t at = answer.find(R"("count":)");
  if (!answer.starts_with(R"({"type":"ack")") || at == std::string_view::npos) {
    die("unexpected answer: " + std::string(answer));
  }
  return std::strtoull(answer.data() + at + 8, nullptr, 10);
}

void append(RawClient& producer, const std::vector<std::string>& frames, std::uint64_t events) {
  constexpr std::uint64_t kAhead = 20 * kBatchEvents;
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  for (auto frame = frames.begin(); acked < events;) {
    for (; frame != frames.end() && sent - acked < kAhead; ++frame, sent += kBatchEvents) {
      producer.send(*frame);
    }
    producer.receive([&](std::string_view answer) { acked += acknowledged(answer); });
  }
}

/// Deliveries to clients of `path`, who get `expected` events each.
Rate through_vibes(const VibesHome& home, const FanOut& what, const std::string& path,
                   std::uint64_t expected) {
  const auto frames = append_frames(what.events);
  VibesHere server(home, {"--durability", "os", "--auth", "none"});
  Crowd<FrameCounter> crowd;
  for (std::size_t i = 0; i < what.clients; ++i) {
    crowd.add(open_websocket(server.port(), path), {});
  }
  RawClient producer(server.tcp(), "/ws/append");
  const double cpu = server.process().cpu_us();
  Rate rate;
  rate.per_second =
      deliveries_per_second(crowd, expected, [&] { append(producer, frames, what.events); });
  rate.cpu_ns_each =
      1e3 * (server.process().cpu_us() - cpu) / static_cast<double>(expected * what.clients);
  return rate;
}

// --- NATS ---

UniqueFd connect_to_nats(int port, const std::string& then) {
  UniqueFd fd = connect_to(port);
  (void)read_through(fd.get(), "\r\n");  // INFO
  send_all(fd.get(), "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n" + then + "PING\r\n");
  (void)read_through(fd.get(), "PONG\r\n");
  return fd;
}

double through_nats(const std::filesystem::path& directory, const FanOut& what) {
  const auto server = start_nats(directory);
  const int port = server->port();
  const std::string publications = nats_publications(what.events);
  Crowd<ByteCounter> crowd;
  const std::string subscribe = std::string("SUB ") + kNatsSubject + " 1\r\n";
  for (std::size_t i = 0; i < what.clients; ++i) {
    crowd.add(connect_to_nats(port, subscribe), ByteCounter(nats_delivery_bytes()));
  }
  const UniqueFd publisher = connect_to_nats(port, "");
  return deliveries_per_second(crowd, what.events,
                               [&] { send_all(publisher.get(), publications); });
}

// --- The ceiling ---

double in_bursts(const FanOut& what) {
  BurstServer server(firehose_frames(what.events));
  Crowd<FrameCounter> crowd;
  for (std::size_t i = 0; i < what.clients; ++i) {
    crowd.add(connect_to(server.port()), {});
  }
  server.accept(what.clients);
  return deliveries_per_second(crowd, what.events, [&] { server.start(); });
}

// --- The claims ---

struct Samples {
  std::vector<double> ours;
  std::vector<double> cpu_ns;
  std::vector<double> filtered;
  std::vector<double> nats;
  std::vector<double> bursts;
};

Samples measure(const PeerOptions& options, const FanOut& what) {
  const bool nats = has_nats();
  Samples samples;
  for (unsigned i = 0; i < options.runs; ++i) {
    const Scratch scratch({options.dir, "/tmp"});
    const auto home = [&](const std::string& name) {
      std::filesystem::create_directories(scratch.path(0) / name);
      return VibesHome{scratch.path(0) / name, scratch.path(1), options.server, {}};
    };
    const Rate ours = through_vibes(home("all"), what, "/ws/firehose", what.events);
    samples.ours.push_back(ours.per_second);
    samples.cpu_ns.push_back(ours.cpu_ns_each);
    if (nats) {
      samples.nats.push_back(through_nats(scratch.path(0) / "nats", what));
    }
    samples.bursts.push_back(in_bursts(what));
    const std::string filter = std::string("/ws/firehose?types=") + kFilteredType;
    samples.filtered.push_back(
        through_vibes(home("half"), what, filter, what.events / 2).per_second);
  }
  return samples;
}

void add_claims(std::vector<Claim>& claims, const Samples& samples, std::size_t clients) {
  const std::string to = "fan-out to " + std::to_string(clients);
  Claim nats{.line = 4,
             .what = to,
             .unit = "1/s",
             .peer = "NATS core",
             .ours = samples.ours,
             .theirs = samples.nats,
             .bound = 3.5};
  nats.left_out = samples.nats.empty() ? "no nats-server on $PATH" : "";
  claims.push_back(nats);
  claims.push_back({.line = 4,
                    .what = to,
                    .unit = "1/s",
                    .peer = "the burst ceiling",
                    .ours = samples.ours,
                    .theirs = samples.bursts,
                    .bound = 0.7});
  claims.push_back({.line = 4,
                    .what = to + ", server CPU per delivery",
                    .unit = "ns",
                    .peer = {},
                    .ours = samples.cpu_ns,
                    .theirs = {},
                    .wanted = Claim::Wanted::at_most,
                    .bound = 150});
  claims.push_back({.line = 4,
                    .what = to + ", each with a filter",
                    .unit = "1/s",
                    .peer = "without a filter",
                    .ours = samples.filtered,
                    .theirs = samples.ours,
                    .bound = 0.5});
}

int run(int argc, char** argv) {
  CLI::App app("Fan-out through vibes-server, beside NATS core and a server that only writes",
               "bench_peers_fanout");
  PeerOptions options;
  std::uint64_t deliveries = 8'000'000;
  app.add_option("--deliveries", deliveries, "How many events reach a client, over all clients")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  const std::string json = parse_peer_options(app, argc, argv, {"100", "1000"}, options);
  std::vector<Claim> claims;
  for (const std::size_t clients : {100U, 1'000U}) {
    if (options.wants(std::to_string(clients))) {
      const std::uint64_t rounds = deliveries / clients / (2 * kBatchEvents) + 1;
      const FanOut what{clients, rounds * 2 * kBatchEvents};
      add_claims(claims, measure(options, what), clients);
    }
  }
  return report_claims("peers_fanout", claims, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
