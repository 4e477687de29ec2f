// SPDX-License-Identifier: MIT
// What holds where several logs share a stream in a real engine, and that engine dies.
#include <thread>

#include "contract/shared_logs.hpp"

namespace vibes::test {
TEST_CASE("two logs over one stream write at once and see one order", "[contract][nats]") {
  const TempDir directory;
  const NatsServer server;
  const auto one = open(server.url("/shared"), own_options(directory, "one"));
  const auto two = open(server.url("/shared"), own_options(directory, "two"));
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
  const auto one = open(server.url("/shared"), own_options(directory, "one"));
  const auto two = open(server.url("/shared"), own_options(directory, "two"));
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
  auto log = open(server.url("/shared"), own_options(directory, "one"));
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
  log = open(server.url("/shared"), own_options(directory, "one"));
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
  const auto one = open(server.url("/shared"), own_options(directory, "one"));
  const auto two = open(server.url("/shared"), own_options(directory, "two"));
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
