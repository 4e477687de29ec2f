// SPDX-License-Identifier: MIT
// What holds where several logs share a stream in a real engine, and that engine dies.
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "contract/harness.hpp"

namespace vibes::test {
namespace {

eventlog::LogOptions own_options(const TempDir& directory, const std::string& name) {
  eventlog::LogOptions options;
  options.state_directory = directory.path() / name;
  options.free_disk_floor_bytes = 0;
  options.segment_bytes = 256 * limits::kKiB;
  options.engine_patience = std::chrono::milliseconds(300);
  return options;
}

std::unique_ptr<eventlog::CopyTarget> open(const NatsServer& server,
                                           const eventlog::LogOptions& options) {
  auto opened = engines::open_log(server.url("/shared"), options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

void wait_for_end(EventLog& log, Offset end) {
  while (log.end() < end) {
    log.signal().wait_beyond(log.end(), {}, std::chrono::seconds(1));
  }
}

/// Appends `count` events of its own, ten at a time, and says what it was told.
class Writer {
 public:
  Writer(EventLog& log, std::string name, std::uint64_t count)
      : log_(log), name_(std::move(name)), thread_([this, count] { run(count); }) {}

  void join() { thread_.join(); }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t pending() const { return pending_; }

 private:
  void run(std::uint64_t count) {
    std::atomic<std::uint64_t> in_flight = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      for (std::uint64_t now = in_flight; now >= 10; now = in_flight) {
        in_flight.wait(now);
      }
      ++in_flight;
      auto event = with_id(new_event("n", name_, ",\"n\":" + std::to_string(i)), random_uuid());
      const auto done = [&](const Result<AppendReceipt>& receipt) {
        acknowledged_ += receipt ? 1U : 0U;
        pending_ += receipt && receipt->pending ? 1U : 0U;
        --in_flight;
        in_flight.notify_all();
      };
      if (!log_.append({std::move(event)}, done)) {
        --in_flight;
      }
    }
    for (std::uint64_t now = in_flight; now > 0; now = in_flight) {
      in_flight.wait(now);
    }
  }

  EventLog& log_;
  const std::string name_;
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::atomic<std::uint64_t> pending_ = 0;
  std::thread thread_;
};

/// Each writer's events once and in its order.
void check_streams(const std::vector<Seen>& all,
                   const std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::uint64_t> next;
  std::set<Uuid> ids;
  for (const Seen& event : all) {
    REQUIRE(ids.insert(event.event_id).second);
    REQUIRE(event.payload ==
            new_event("n", event.session, ",\"n\":" + std::to_string(next[event.session])).payload);
    ++next[event.session];
  }
  CHECK(next == counts);
}

}  // namespace

TEST_CASE("two logs over one stream write at once and see one order", "[contract][nats]") {
  const TempDir directory;
  const NatsServer server;
  const auto one = open(server, own_options(directory, "one"));
  const auto two = open(server, own_options(directory, "two"));
  CHECK(one->log_id() == two->log_id());
  Writer first(*one, "a", 500);
  Writer second(*two, "b", 500);
  first.join();
  second.join();
  CHECK(first.acknowledged() == 500);
  CHECK(second.acknowledged() == 500);
  wait_for_end(*one, Offset(1'000));
  wait_for_end(*two, Offset(1'000));
  const auto all = read_all(*one);
  CHECK((read_all(*two) == all));
  check_streams(all, {{"a", 500}, {"b", 500}});
  // A place in one is the same place in the other.
  const auto cursor = one->cursor_at(Offset(321));
  REQUIRE(cursor);
  CHECK(two->resume(*cursor).value() == Offset(321));
}

TEST_CASE("a server that is killed and comes back loses, doubles and reorders nothing",
          "[contract][nats]") {
  const TempDir directory;
  NatsServer server;
  const auto one = open(server, own_options(directory, "one"));
  const auto two = open(server, own_options(directory, "two"));
  Writer first(*one, "a", 1'500);
  Writer second(*two, "b", 1'500);
  for (int i = 0; i < 4; ++i) {
    const Offset end = one->end();
    wait_for_end(*one, end + 50);
    server.kill();
    server.start_again();
  }
  first.join();
  second.join();
  CHECK(first.acknowledged() == 1'500);
  CHECK(second.acknowledged() == 1'500);
  wait_for_end(*one, Offset(3'000));
  wait_for_end(*two, Offset(3'000));
  const auto all = read_all(*one);
  CHECK((read_all(*two) == all));
  check_streams(all, {{"a", 1'500}, {"b", 1'500}});
}

TEST_CASE("what is appended while the server is down is pending, and in the log afterwards",
          "[contract][nats]") {
  const TempDir directory;
  NatsServer server;
  auto log = open(server, own_options(directory, "one"));
  append_numbered(*log, 0, 10);
  server.stop();
  while (log->status().state != eventlog::LogStatus::State::away) {
    std::this_thread::yield();
  }
  for (std::uint64_t i = 10; i < 20; ++i) {
    const auto receipt = append(*log, {numbered(i)});
    REQUIRE(receipt);
    CHECK(receipt->pending);
  }
  REQUIRE(log->close());
  log.reset();
  server.start_again();
  log = open(server, own_options(directory, "one"));
  wait_for_end(*log, Offset(20));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(all[i].payload == numbered(i).payload);
  }
}

TEST_CASE("a group is with one of the servers that share a stream", "[contract][nats]") {
  const TempDir directory;
  const NatsServer server;
  const auto one = open(server, own_options(directory, "one"));
  const auto two = open(server, own_options(directory, "two"));
  append_numbered(*one, 0, 10);
  wait_for_end(*two, Offset(10));
  REQUIRE(one->group_offsets().claim("g"));
  CHECK(two->group_offsets().claim("g").error().code == eventlog::Errc::group_held);
  REQUIRE(one->group_offsets().commit("g", Offset(7)));
  one->group_offsets().release("g");
  while (!two->group_offsets().claim("g")) {
  }
  CHECK(two->group_offsets().committed("g") == Offset(7));
  CHECK(one->group_offsets().claim("g").error().code == eventlog::Errc::group_held);
}

}  // namespace vibes::test
