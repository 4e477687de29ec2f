// SPDX-License-Identifier: MIT
// The firehose with `from`, `until` or `group`.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "consumers/errc.hpp"
#include "event/errc.hpp"
#include "firehose_fixture.hpp"

using namespace vibes;
using namespace vibes::test;

namespace {

std::string cursor_of(FirehoseServer& server, std::uint64_t next) {
  return event::to_string(*server.events.log().cursor_at(Offset(next)));
}

/// The code with which a query is refused.
std::error_code refusal(FirehoseServer& server, const TestQuery& query) {
  const auto maker = net::plan_firehose(query, server.context);
  return maker ? std::error_code() : maker.error().code;
}

}  // namespace

TEST_CASE("Firehose: from=beginning says hello, sends everything, then where it stands",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(30, "note", "s");
  FirehoseClient client(server, {{"from", "beginning"}});
  auto messages = client.take();
  REQUIRE(messages.size() == 32);
  const json& hello = messages.front();
  CHECK(hello.at("type") == "hello");
  CHECK(hello.at("log_id") == to_string(server.events.log().log_id()));
  CHECK(hello.at("first") == 0);
  CHECK(hello.at("end") == 30);
  CHECK(hello.at("cursor") == cursor_of(server, 0));
  CHECK(hello.at("server") == "vibes-server/0.0.0");
  CHECK(offsets_of(messages) == range(0, 30));
  const json& position = messages.back();
  CHECK(position.at("type") == "position");
  CHECK(position.at("cursor") == cursor_of(server, 30));
  CHECK(position.at("offset") == 30);
  CHECK(position.at("end") == 30);
  CHECK(position.at("caught_up") == true);

  server.events.append_many(2, "note", "s");
  messages = client.take();
  CHECK(offsets_of(messages) == range(30, 32));
  CHECK(messages.size() == 2);  // no position with each live event
}

TEST_CASE("Firehose: every way to say where to start", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(30, "note", "s");
  const auto first_of = [&server](const std::string& from) {
    FirehoseClient client(server, {{"from", from}});
    const auto offsets = offsets_of(client.take());
    return offsets.empty() ? 30 : offsets.front();
  };
  CHECK(first_of("beginning") == 0);
  CHECK(first_of("end") == 30);
  CHECK(first_of("0") == 0);
  CHECK(first_of("17") == 17);
  CHECK(first_of("30") == 30);
  CHECK(first_of("-5") == 25);
  CHECK(first_of("-500") == 0);
  CHECK(first_of("1999-12-31T23:59:59Z") == 0);
  CHECK(first_of("2999-12-31T23:59:59+01:00") == 30);
  CHECK(first_of(cursor_of(server, 12)) == 12);
}

TEST_CASE("Firehose: a bad query is refused, and what is wrong with it is said",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(3, "note", "s");
  const std::vector<TestQuery> bad{
      {{"from", "yesterday"}},
      {{"from", ""}},
      {{"from", "4"}},
      {{"from", "-"}},
      {{"from", "--5"}},
      {{"from", "1.5"}},
      {{"from", "18446744073709551616"}},
      {{"from", "v1.nonsense"}},
      {{"from", "end"}, {"until", "soon"}},
      {{"from", "end"}, {"batch", "yes"}},
      {{"from", "end"}, {"heartbeat", "0"}},
      {{"from", "end"}, {"heartbeat", "4000"}},
      {{"from", "end"}, {"heartbeat", "1s"}},
      {{"group", "Not A Group"}},
      {{"group", ""}},
      {{"group", "g"}, {"from", "5"}},
      {{"session", std::string(300, 's')}},
  };
  for (const TestQuery& query : bad) {
    CHECK(refusal(server, query) == std::errc::invalid_argument);
  }
}

TEST_CASE("Firehose: a cursor of another log, or of this one before it was reset, is refused",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(10, "note", "s");
  FirehoseServer other;
  other.events.append_many(10, "note", "s");
  CHECK(refusal(server, {{"from", cursor_of(other, 5)}}) == event::Errc::cursor_mismatch);
  auto forked = *server.events.log().cursor_at(Offset(5));
  forked.check ^= 1;
  CHECK(refusal(server, {{"from", to_string(forked)}}) == event::Errc::cursor_mismatch);
  forked = *server.events.log().cursor_at(Offset(5));
  forked.next = Offset(11);
  CHECK(refusal(server, {{"from", to_string(forked)}}) == event::Errc::cursor_mismatch);
  CHECK_FALSE(refusal(server, {{"from", cursor_of(server, 10)}}));
}

TEST_CASE("Firehose: batches hold what is ready, up to 64 KiB", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(1'000, "note", "s", 300);
  FirehoseClient client(server, {{"from", "beginning"}, {"batch", "1"}});
  auto messages = client.take();
  CHECK(offsets_of(messages) == range(0, 1'000));
  const auto batches = of_type(messages, "events");
  CHECK(batches.size() >= 7);
  CHECK(batches.size() <= 12);
  CHECK(client.connection.largest_write() <= limits::kWriteChunkBytes);
  CHECK(batches[0].at("events")[0].size() == 4);
  server.events.append_many(700, "note", "s", 300);  // live, from the ring
  messages = client.take();
  CHECK(offsets_of(messages) == range(1'000, 1'700));
  CHECK(of_type(messages, "event").empty());
  CHECK(client.connection.largest_write() <= limits::kWriteChunkBytes);
}

TEST_CASE("Firehose: until ends with `end` and a normal close", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(20, "note", "s");
  const auto check_end = [](FirehoseClient& client, std::uint64_t from, std::uint64_t to) {
    const auto messages = client.take();
    CHECK(offsets_of(messages) == range(from, to));
    CHECK(messages.back().at("type") == "end");
    CHECK(client.connection.close_code() == net::CloseCode::normal);
  };
  SECTION("the end as it is when the client connects") {
    FirehoseClient client(server, {{"from", "-5"}, {"until", "end"}});
    server.events.append_many(5, "note", "s");
    check_end(client, 15, 20);
  }
  SECTION("an offset, which is not included") {
    FirehoseClient client(server, {{"from", "3"}, {"until", "7"}});
    check_end(client, 3, 7);
  }
  SECTION("an offset to come, in batches, from the ring") {
    FirehoseClient client(server, {{"from", "end"}, {"until", "23"}, {"batch", "1"}});
    CHECK_FALSE(client.connection.close_code());
    client.take();
    server.events.append_many(10, "note", "s");
    check_end(client, 20, 23);
  }
  SECTION("at once, where nothing lies between") {
    FirehoseClient client(server, {{"from", "end"}, {"until", "end"}});
    check_end(client, 20, 20);
  }
  SECTION("with a filter that matches nothing") {
    FirehoseClient client(server, {{"from", "0"}, {"until", "end"}, {"types", "hook"}});
    check_end(client, 0, 0);
  }
  SECTION("a time that has passed") {
    FirehoseClient client(server, {{"from", "0"}, {"until", "2000-01-01T00:00:00Z"}});
    check_end(client, 0, 0);
  }
}

TEST_CASE("Firehose: until a time to come takes the events before it, and no other",
          "[net][firehose]") {
  ManualClock clock;
  eventlog::LogOptions options;
  options.clock = &clock;
  FirehoseServer server(options);
  server.events.append_many(3, "note", "s");
  const std::string until = format_rfc3339({server.clock.now().unix_us + 10'000'000});
  FirehoseClient client(server, {{"from", "beginning"}, {"until", until}, {"heartbeat", "60"}});
  CHECK(offsets_of(client.take()) == range(0, 3));
  clock.advance(std::chrono::seconds(9));
  server.clock.advance(std::chrono::seconds(9));
  server.events.append_many(2, "note", "s");
  CHECK(offsets_of(client.take()) == range(3, 5));
  CHECK_FALSE(client.connection.close_code());
  SECTION("an event after it ends the stream") {
    clock.advance(std::chrono::seconds(2));
    server.clock.advance(std::chrono::seconds(2));
    server.events.append_many(4, "note", "s");
    const auto messages = client.take();
    CHECK(offsets_of(messages).empty());
    CHECK(messages.back().at("type") == "end");
  }
  SECTION("so does the clock") {
    while (!client.connection.close_code()) {
      REQUIRE(client.fire_timer());
      client.take();
    }
  }
  CHECK(client.connection.close_code() == net::CloseCode::normal);
}

TEST_CASE("Firehose: the heartbeat tells the position, also where the filter matches nothing",
          "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server, {{"from", "end"}, {"types", "claude"}, {"heartbeat", "2"}});
  client.take();
  for (int i = 1; i <= 3; ++i) {
    server.events.append_many(100, "note", "s");
    CHECK(client.take().empty());
    REQUIRE(client.connection.timer() == std::chrono::seconds(2));
    REQUIRE(client.fire_timer());
    const auto messages = client.take();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].at("type") == "position");
    CHECK(messages[0].at("offset") == 100 * i);
    CHECK(messages[0].at("cursor") == cursor_of(server, static_cast<std::uint64_t>(100 * i)));
    CHECK(messages[0].at("caught_up") == true);
  }
}

TEST_CASE("Firehose: heartbeats do not pile up for a client that takes nothing",
          "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server, {{"from", "end"}});
  for (int i = 0; i < 50; ++i) {
    REQUIRE(client.fire_timer());
  }
  CHECK(of_type(client.take(), "position").size() <= 2);
}

TEST_CASE("Firehose: what retention took is a visible gap", "[net][firehose]") {
  eventlog::LogOptions options;
  options.retention.bytes = 1'000'000;
  FirehoseServer server(options);
  server.events.append_many(10, "note", "s");
  const std::string cursor = cursor_of(server, 5);
  server.events.append_many(8'000, "note", "s", 300);
  const std::uint64_t first = server.events.log().first().value();
  REQUIRE(first > 10);
  for (const std::string& from : {std::string("5"), cursor}) {
    FirehoseClient client(server, {{"from", from}});
    const auto messages = client.take();
    const auto gaps = of_type(messages, "gap");
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].at("from") == 5);
    CHECK(gaps[0].at("to") == first - 1);
    CHECK(gaps[0].at("reason") == "retention");
    CHECK(offsets_of(messages) == range(first, 8'010));
  }
}

TEST_CASE("Firehose: a position's cursor resumes without loss or repetition", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(100, "note", "s");
  std::string cursor;
  {
    FirehoseClient client(server, {{"from", "beginning"}});
    cursor = client.take().back().at("cursor");
  }
  server.events.append_many(50, "note", "s");
  FirehoseClient client(server, {{"from", cursor}});
  CHECK(offsets_of(client.take()) == range(100, 150));
}

TEST_CASE("Firehose: pages and filters work beside `from`", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(50, "note", "s");
  FirehoseClient client(server, {{"from", "40"}});
  CHECK(offsets_of(client.take()) == range(40, 50));
  client.send({{"type", "fetch_older"}, {"limit", 15}});
  CHECK(offsets_of(client.take()) == range(25, 40));
}

TEST_CASE("Firehose: a group resumes from its commit", "[net][firehose][groups]") {
  FirehoseServer server;
  server.events.append_many(20, "note", "s");
  {
    FirehoseClient client(server, {{"group", "g"}, {"from", "beginning"}});
    auto messages = client.take();
    CHECK(messages.front().at("type") == "hello");
    CHECK(offsets_of(messages) == range(0, 20));
    client.send({{"type", "commit"}, {"offset", 12}});
    while (messages = client.take(), messages.empty()) {
    }
    REQUIRE(messages.size() == 1);
    CHECK(messages[0] == json{{"type", "committed"}, {"group", "g"}, {"offset", 12}});
    client.end();
  }
  CHECK(server.events.log().group_offsets().committed("g") == Offset(12));
  FirehoseClient client(server, {{"group", "g"}, {"from", "beginning"}});
  CHECK(offsets_of(client.take()) == range(12, 20));
}

TEST_CASE("Firehose: a new group starts at the end unless it says otherwise",
          "[net][firehose][groups]") {
  FirehoseServer server;
  server.events.append_many(20, "note", "s");
  FirehoseClient client(server, {{"group", "g"}});
  CHECK(offsets_of(client.take()).empty());
  server.events.append_many(2, "note", "s");
  CHECK(offsets_of(client.take()) == range(20, 22));
}

namespace {

/// The offsets that several members are sent until there is nothing more for any.
std::vector<std::vector<std::uint64_t>> take_all(std::vector<FirehoseClient*> members) {
  std::vector<std::vector<std::uint64_t>> offsets(members.size());
  bool moved = true;
  while (std::exchange(moved, false)) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (const std::uint64_t offset : offsets_of(members[i]->take())) {
        offsets[i].push_back(offset);
        moved = true;
      }
    }
  }
  return offsets;
}

void append_of_sessions(FirehoseServer& server, int events) {
  for (int n = 0; n < events; ++n) {
    server.events.append_many(1, "note", "session-" + std::to_string(n % 10));
  }
}

std::vector<std::uint64_t> merged(const std::vector<std::vector<std::uint64_t>>& offsets) {
  std::vector<std::uint64_t> all;
  for (const auto& some : offsets) {
    all.insert(all.end(), some.begin(), some.end());
  }
  std::ranges::sort(all);
  return all;
}

void commit(FirehoseClient& client, std::uint64_t next) {
  client.send({{"type", "commit"}, {"offset", next}});
}

}  // namespace

TEST_CASE("Firehose: two members share what comes, and each is told its share",
          "[net][firehose][groups]") {
  FirehoseServer server;
  FirehoseClient first(server, {{"group", "g"}});
  CHECK(of_type(first.take(), "assigned").empty());
  FirehoseClient second(server, {{"group", "g"}});
  CHECK(of_type(first.take(), "assigned").at(0) ==
        json{{"type", "assigned"}, {"slots", 32}, {"members", 2}, {"from", 0}});
  const auto messages = second.take();
  CHECK(messages.front().at("type") == "hello");
  CHECK(of_type(messages, "assigned").at(0).at("slots") == 32);
  append_of_sessions(server, 40);
  const auto offsets = take_all({&first, &second});
  CHECK_FALSE(offsets[0].empty());
  CHECK_FALSE(offsets[1].empty());
  CHECK(merged(offsets) == range(0, 40));
  CHECK(server.groups->find("g")->members == 2);
}

TEST_CASE("Firehose: a member that joins waits for what the others were handed",
          "[net][firehose][groups]") {
  FirehoseServer server;
  append_of_sessions(server, 20);
  FirehoseClient first(server, {{"group", "g"}, {"from", "beginning"}});
  CHECK(offsets_of(first.take()) == range(0, 20));
  FirehoseClient second(server, {{"group", "g"}});
  append_of_sessions(server, 20);
  auto offsets = take_all({&first, &second});
  CHECK(offsets[1].empty());
  const auto of_first = offsets[0];
  commit(first, 20);
  offsets = take_all({&first, &second});
  CHECK(offsets[0].empty());
  CHECK(merged({of_first, offsets[1]}) == range(20, 40));
}

TEST_CASE("Firehose: what a dead member had not committed goes to the others, and nothing else",
          "[net][firehose][groups]") {
  FirehoseServer server;
  FirehoseClient first(server, {{"group", "g"}});
  FirehoseClient second(server, {{"group", "g"}});
  take_all({&first, &second});
  append_of_sessions(server, 40);
  const auto offsets = take_all({&first, &second});
  commit(first, offsets[0][2] + 1);
  first.end();
  // It owes commits itself: first those, then it goes back.
  CHECK(take_all({&second})[0].empty());
  commit(second, offsets[1].back() + 1);
  const auto again = take_all({&second})[0];
  CHECK(again == std::vector<std::uint64_t>(offsets[0].begin() + 3, offsets[0].end()));
}

TEST_CASE("Firehose: a commit is answered with the group's, though another holds it back",
          "[net][firehose][groups]") {
  FirehoseServer server;
  FirehoseClient first(server, {{"group", "g"}});
  FirehoseClient second(server, {{"group", "g"}});
  take_all({&first, &second});
  append_of_sessions(server, 40);
  const auto offsets = take_all({&first, &second});
  const auto& ahead = offsets[0].front() > offsets[1].front() ? offsets[0] : offsets[1];
  auto& member = &ahead == offsets.data() ? first : second;
  commit(member, ahead.back() + 1);
  std::vector<json> messages;
  while (messages = member.take(), messages.empty()) {
  }
  CHECK(messages.at(0) == json{{"type", "committed"}, {"group", "g"}, {"offset", 0}});
}

TEST_CASE("Firehose: a silent member that others wait for loses its lease, one that works does not",
          "[net][firehose][groups]") {
  FirehoseServer server;
  append_of_sessions(server, 20);
  FirehoseClient first(server, {{"group", "g"}, {"from", "beginning"}, {"heartbeat", "60"}});
  first.take();
  FirehoseClient second(server, {{"group", "g"}, {"heartbeat", "60"}});
  take_all({&first, &second});
  server.clock.advance(std::chrono::seconds(50));
  first.send({{"type", "working"}});
  server.clock.advance(std::chrono::seconds(50));
  first.endpoint().on_timer();
  first.take();
  CHECK_FALSE(first.connection.close_code());
  server.clock.advance(std::chrono::seconds(10));
  first.endpoint().on_timer();
  CHECK(first.connection.close_code() == net::CloseCode::lease_expired);
  CHECK(take_all({&second})[0] == range(0, 20));
}

TEST_CASE("Firehose: one of the server's own consumers has its group alone",
          "[net][firehose][groups]") {
  FirehoseServer server;
  auto own = server.groups->join("g", consumers::FirstStart::end);
  REQUIRE(own);
  FirehoseClient client(server, {{"group", "g"}});
  const auto messages = client.take();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("code") == "group_busy");
  CHECK(client.connection.close_code() == net::CloseCode::group_busy);
  own->reset();
  FirehoseClient third(server, {{"group", "g"}});
  CHECK(third.take().front().at("type") == "hello");
  CHECK(server.groups->join("g", consumers::FirstStart::end).error().code ==
        consumers::Errc::group_busy);
}

TEST_CASE("Firehose: a reject goes to the dead letters and moves the commit past the event",
          "[net][firehose][groups]") {
  FirehoseServer server;
  server.events.append_many(20, "note", "s");
  FirehoseClient client(server, {{"group", "g"}, {"from", "beginning"}});
  client.take();
  client.send({{"type", "reject"}, {"offset", 7}, {"reason", "no"}, {"attempts", 3}});
  std::vector<json> messages;
  while (messages = client.take(), messages.empty()) {
  }
  CHECK(messages.at(0) == json{{"type", "committed"}, {"group", "g"}, {"offset", 8}});
  const json letter = json::parse(*server.groups->dead_letters("g"));
  CHECK(letter.at("offset") == 7);
  CHECK(letter.at("reason") == "no");

  client.send({{"type", "commit"}, {"offset", 21}});
  CHECK(client.take().at(0).at("code") == "bad_commit");
  client.send({{"type", "reject"}, {"offset", 20}});
  CHECK(client.take().at(0).at("code") == "bad_reject");
}
