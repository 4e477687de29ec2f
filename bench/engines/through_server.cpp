// SPDX-License-Identifier: MIT
#include "engines/through_server.hpp"

#include <atomic>
#include <string_view>
#include <thread>
#include <vector>

#include "firehose/producers.hpp"
#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr std::string_view kEventPrefix = R"({"type":"event")";
constexpr std::string_view kAckPrefix = R"({"type":"ack")";

void receive_one(RawClient& client, std::string_view prefix) {
  for (bool seen = false; !seen;) {
    if (!client.receive([&](std::string_view text) { seen = seen || text.starts_with(prefix); })) {
      die("the server closed the connection");
    }
  }
}

/// One event after the other: from the send to the frame at the firehose, and to the answer.
void measure_frames(Table& table, const std::string& name, const Address& server, double seconds) {
  RawClient firehose(server, "/ws/firehose?from=end");
  RawClient appends(server, "/ws/append");
  std::vector<double> frame_us;
  std::vector<double> ack_us;
  const double start = now_us();
  for (std::uint64_t number = 0; now_us() - start < seconds * 1e6; ++number) {
    const std::string frame = client_frame(sample_event(number));
    const double before = now_us();
    appends.send(frame);
    std::thread acks([&] {
      receive_one(appends, kAckPrefix);
      ack_us.push_back(now_us() - before);
    });
    receive_one(firehose, kEventPrefix);
    frame_us.push_back(now_us() - before);
    acks.join();
  }
  table.add_latency(name, "append to its frame", frame_us);
  table.add_latency(name, "append to its answer", ack_us);
}

void measure_windows(Table& table, const std::string& name, const Address& server, double seconds) {
  RawClient firehose(server, "/ws/firehose?from=end");
  std::atomic<bool> over = false;
  std::thread reading([&] {
    std::uint64_t seen = 0;
    while (!over && firehose.count(kEventPrefix, seen)) {
    }
  });
  for (const std::size_t window : {std::size_t{64}, std::size_t{1'024}}) {
    const AppendRun run = run_producers(server, 1, window, seconds);
    table.add(name, {std::to_string(window) + " under way, events", run.events_per_second, "1/s"});
  }
  over = true;
  (void)run_producers(server, 1, 1, 0.01);  // a frame more, which ends the wait for one
  reading.join();
}

}  // namespace

void measure_through_server(Table& table, const EngineCase& engine, const std::string& program,
                            double seconds) {
  std::vector<std::string> options{"--durability", engine.durability};
  if (!engine.url.empty()) {
    options.insert(options.end(), {"--log", engine.url});
  }
  const ServerProcess server(program, options);
  measure_frames(table, engine.name, server.tcp(), seconds);
  measure_windows(table, engine.name, server.tcp(), seconds);
}

}  // namespace vibes::bench
