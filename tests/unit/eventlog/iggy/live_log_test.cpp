// SPDX-License-Identifier: MIT
// A whole log over a real server.
#include <csignal>

#include "contract/harness.hpp"
#include "eventlog/remote/remote_event_log.hpp"
#include "unit/eventlog/iggy/live_server.hpp"

namespace vibes::test {
namespace {

using eventlog::remote::RemoteEventLog;

std::unique_ptr<RemoteEventLog> open_log(const LiveIggy& server, const std::string& directory) {
  eventlog::LogOptions options;
  options.state_directory = directory;
  options.free_disk_floor_bytes = 0;
  options.engine_patience = std::chrono::milliseconds(20);
  auto opened = RemoteEventLog::open(server.stream(), options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

void wait_for_end(EventLog& log, Offset end) {
  while (log.end() < end) {
    REQUIRE(log.status().state != eventlog::LogStatus::State::failed);
    log.signal().wait_beyond(log.end(), {}, std::chrono::milliseconds(100));
  }
}

void check_numbered(EventLog& log, std::uint64_t count) {
  const auto all = read_all(log);
  REQUIRE(all.size() == count);
  for (std::uint64_t i = 0; i < count; ++i) {
    REQUIRE(all[i].payload == numbered(i).payload);
  }
}

}  // namespace

TEST_CASE("iggy log: what is appended is read back, here and elsewhere", "[iggy]") {
  LIVE_IGGY(server);
  const TempDir here;
  const TempDir elsewhere;
  const auto log = open_log(server, here.path().string());
  append_numbered(*log, 0, 2'000);
  check_numbered(*log, 2'000);
  const auto other = open_log(server, elsewhere.path().string());
  CHECK(other->log_id() == log->log_id());
  CHECK(read_all(*other) == read_all(*log));
  append_numbered(*other, 2'000, 2'100);
  wait_for_end(*log, Offset(2'100));
  append_numbered(*log, 2'100, 2'200);
  wait_for_end(*other, Offset(2'200));
  check_numbered(*other, 2'200);
  CHECK(read_all(*other) == read_all(*log));
}

TEST_CASE("iggy log: an event with line ends may be sent again", "[iggy]") {
  LIVE_IGGY(server);
  const TempDir directory;
  const auto event =
      with_id({"{\"type\":\"n\",\n\"x\":\r1}", "n", "", std::nullopt}, random_uuid());
  {
    const auto log = open_log(server, directory.path().string());
    append_one(*log, event);
    CHECK(append(*log, {event})->duplicates() == 1);
  }
  const auto log = open_log(server, directory.path().string());
  CHECK(append(*log, {event})->duplicates() == 1);
  CHECK(read_all(*log).at(0).payload == event.payload);
}

TEST_CASE("iggy log: two writers at the same time see one order", "[iggy]") {
  LIVE_IGGY(server);
  const TempDir one_directory;
  const TempDir other_directory;
  const auto one = open_log(server, one_directory.path().string());
  const auto other = open_log(server, other_directory.path().string());
  constexpr std::uint64_t kEach = 100;
  const auto write = [](EventLog& log, std::vector<std::string>& refused) {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      if (const auto receipt = append(log, {numbered(i)}); !receipt) {
        refused.push_back(receipt.error().message());
      }
    }
  };
  std::vector<std::string> refused_to_one;
  std::vector<std::string> refused_to_other;
  {
    const std::jthread thread([&] { write(*one, refused_to_one); });
    write(*other, refused_to_other);
  }
  REQUIRE(refused_to_one == std::vector<std::string>());
  REQUIRE(refused_to_other == std::vector<std::string>());
  wait_for_end(*one, Offset(2 * kEach));
  wait_for_end(*other, Offset(2 * kEach));
  CHECK(read_all(*one).size() == 2 * kEach);
  CHECK(read_all(*one) == read_all(*other));
}

TEST_CASE("iggy log: it goes on where it was, after its own restart and the server's", "[iggy]") {
  LIVE_IGGY(server);
  const TempDir directory;
  std::uint64_t count = 0;
  Uuid log_id;
  for (const int signal : {SIGTERM, SIGKILL}) {
    {
      const auto log = open_log(server, directory.path().string());
      log_id = log->log_id();
      check_numbered(*log, count);
      append_numbered(*log, count, count + 150);
      count += 150;
      REQUIRE(log->group_offsets().commit("reader", log->end()));
    }
    server.end(signal);
    server.start_again();
    const auto log = open_log(server, directory.path().string());
    CHECK(log->log_id() == log_id);
    CHECK(log->group_offsets().committed("reader") == Offset(count));
    check_numbered(*log, count);
  }
}

TEST_CASE("iggy log: what was acknowledged is there, however often the server was killed meanwhile",
          "[iggy]") {
  LIVE_IGGY(server);
  const TempDir directory;
  const auto log = open_log(server, directory.path().string());
  std::vector<Offset> places;
  std::vector<std::string> refused;
  std::atomic<std::uint64_t> appended = 0;
  std::atomic<bool> done = false;
  {
    const std::jthread writer([&] {
      for (std::uint64_t i = 0; !done; ++i) {
        const auto receipt = append(*log, {numbered(i), numbered(i)});
        if (!receipt) {
          refused.push_back(receipt.error().message());
        }
        places.push_back(receipt && !receipt->pending ? receipt->places[0].offset : Offset());
        ++appended;
      }
    });
    for (int i = 0; i < 6; ++i) {
      for (const auto until = appended + 40; appended < until;) {
        std::this_thread::yield();
      }
      server.end(SIGKILL);
      server.start_again();
      (void)log->group_offsets().commit("g", Offset(1));  // it may be away still
    }
    done = true;
  }
  REQUIRE(refused == std::vector<std::string>());
  wait_for_end(*log, Offset(2 * places.size()));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 2 * places.size());
  for (std::uint64_t i = 0; i < places.size(); ++i) {
    REQUIRE(all[2 * i].payload == numbered(i).payload);
    REQUIRE((places[i] == Offset() || places[i] == Offset(2 * i)));
  }
  const TempDir elsewhere;
  const auto other = open_log(server, elsewhere.path().string());
  CHECK(read_all(*other) == all);
}

TEST_CASE("iggy log: while the server is down appends are pending, then in the log", "[iggy]") {
  LIVE_IGGY(server);
  const TempDir directory;
  const auto log = open_log(server, directory.path().string());
  append_numbered(*log, 0, 10);
  std::uint64_t count = 10;
  for (const int signal : {SIGTERM, SIGKILL}) {
    server.end(signal);
    for (const std::uint64_t until = count + 20; count < until; ++count) {
      const auto receipt = append(*log, {numbered(count)});
      REQUIRE(receipt);
      CHECK(receipt->pending);
    }
    CHECK(log->status().state == eventlog::LogStatus::State::away);
    server.start_again();
    wait_for_end(*log, Offset(count));
    check_numbered(*log, count);
  }
}

}  // namespace vibes::test
