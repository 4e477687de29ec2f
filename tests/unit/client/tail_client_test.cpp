// SPDX-License-Identifier: MIT
#include "client/tail_client.hpp"

#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "support/live_server.hpp"

using namespace vibes;
using namespace vibes::client;
using test::LiveServer;
using test::soon;

namespace {

TailOptions reading(std::string from, std::string until = {}) {
  TailOptions options;
  options.from = std::move(from);
  options.until = std::move(until);
  return options;
}

void append(const LiveServer& server, const std::string& lines) {
  HttpClient http(server.target());
  const auto answer = http.send_ok({.method = "POST",
                                    .path = "/api/events",
                                    .headers = {{"Content-Type", "application/x-ndjson"}},
                                    .body = lines},
                                   soon());
  if (!answer) {
    FAIL(answer.error().message());
  }
}

std::string note(int number) { return R"({"type":"note", "n": )" + std::to_string(number) + "}"; }

void append_notes(const LiveServer& server, int from, int to) {
  std::string lines;
  for (int i = from; i < to; ++i) {
    lines += note(i) + "\n";
  }
  append(server, lines);
}

TailMessage next(TailClient& tail) {
  auto message = tail.next(soon());
  if (!message) {
    FAIL(message.error().message());
  }
  return *std::move(message);
}

/// The next message of this kind; others are passed over.
template <class T>
T next_of(TailClient& tail) {
  for (;;) {
    TailMessage message = next(tail);
    if (auto* found = std::get_if<T>(&message)) {
      return std::move(*found);
    }
    REQUIRE_FALSE(std::holds_alternative<Ended>(message));
  }
}

struct Seen {
  std::vector<std::string> events;
  std::size_t hellos = 0;
  std::size_t losses = 0;
  bool ended = false;
};

/// Everything up to `count` events in all, or the end.
void read(TailClient& tail, Seen& seen, std::size_t count) {
  while (seen.events.size() < count && !seen.ended) {
    const TailMessage message = next(tail);
    if (const auto* events = std::get_if<Events>(&message)) {
      for (const TailEvent& event : events->events) {
        CHECK(event.offset == Offset(seen.events.size()));
        seen.events.emplace_back(event.event);
      }
    }
    seen.hellos += std::holds_alternative<Hello>(message) ? 1U : 0U;
    seen.losses += std::holds_alternative<Lost>(message) ? 1U : 0U;
    seen.ended = std::holds_alternative<Ended>(message);
  }
}

std::error_code error_of(TailClient& tail) {
  for (;;) {
    const auto message = tail.next(soon());
    if (!message) {
      return message.error().code;
    }
    REQUIRE_FALSE(std::holds_alternative<Ended>(*message));
  }
}

}  // namespace

TEST_CASE("TailClient: history comes byte for byte, then the end", "[client][tail]") {
  const LiveServer server;
  append_notes(server, 0, 2'000);
  const auto framing = GENERATE(TailOptions::Framing::batched, TailOptions::Framing::single);
  TailOptions options = reading("beginning", "end");
  options.framing = framing;
  TailClient tail(server.target(), options);
  CHECK(tail.cursor().empty());
  const Hello hello = next_of<Hello>(tail);
  CHECK(hello.first == Offset(0));
  CHECK(hello.end == Offset(2'000));
  CHECK_FALSE(hello.again);
  Seen seen;
  read(tail, seen, SIZE_MAX);
  REQUIRE(seen.events.size() == 2'000);
  for (int i = 0; i < 2'000; ++i) {
    CHECK(seen.events[static_cast<std::size_t>(i)] == note(i));
  }
  CHECK(std::holds_alternative<Ended>(next(tail)));  // and stays so
}

TEST_CASE("TailClient: a filter's silence moves the position", "[client][tail]") {
  const LiveServer server;
  append_notes(server, 0, 50);
  TailOptions options = reading("beginning");
  options.types = "other";
  options.heartbeat = std::chrono::seconds(1);
  TailClient tail(server.target(), options);
  PositionReport report = next_of<PositionReport>(tail);
  while (!report.caught_up) {
    report = next_of<PositionReport>(tail);
  }
  CHECK(report.offset == Offset(50));
  const std::string before = tail.cursor();
  append_notes(server, 50, 60);
  while (report.offset < Offset(60)) {
    report = next_of<PositionReport>(tail);
  }
  CHECK(tail.cursor() != before);
  append(server, R"({"type":"other","session_id":"a b"})");
  const Events events = next_of<Events>(tail);
  REQUIRE(events.events.size() == 1);
  CHECK(events.events[0].offset == Offset(60));
}

TEST_CASE("TailClient: over restarts nothing is skipped and nothing comes twice",
          "[client][tail]") {
  LiveServer server;
  append_notes(server, 0, 100);
  TailClient tail(server.target(), reading("beginning"));
  Seen seen;
  read(tail, seen, 100);
  server.kill();
  server.start_again();
  append_notes(server, 100, 200);
  read(tail, seen, 200);
  REQUIRE(server.process().stop(soon()));
  server.start_again();
  append_notes(server, 200, 250);
  read(tail, seen, 250);
  CHECK(seen.hellos == 3);
  CHECK(seen.losses >= 2);
  CHECK(tail.hello()->again);
  REQUIRE(seen.events.size() == 250);
  for (int i = 0; i < 250; ++i) {
    CHECK(seen.events[static_cast<std::size_t>(i)] == note(i));
  }
}

TEST_CASE("TailClient: cursors resume in another client, behind the event they name",
          "[client][tail]") {
  const LiveServer server;
  append_notes(server, 0, 10);
  std::string behind_third;
  std::string behind_all;
  {
    TailClient tail(server.target(), reading("beginning", "end"));
    const Events events = next_of<Events>(tail);
    REQUIRE(events.events.size() == 10);
    behind_third = tail.cursor_after(events.events[2]);
    behind_all = tail.cursor();
    tail.close(soon());
  }
  TailClient resumed(server.target(), reading(behind_third, "end"));
  CHECK(next_of<Events>(resumed).events.front().event == note(3));
  TailClient done(server.target(), reading(behind_all, "end"));
  Seen seen;
  read(done, seen, SIZE_MAX);
  CHECK(seen.events.empty());

  const LiveServer other;
  append_notes(other, 0, 10);
  TailClient lost(other.target(), reading(behind_third));
  CHECK(error_of(lost) == make_error_code(Errc::cursor_unusable));
}

TEST_CASE("TailClient: a group goes on behind its commits", "[client][tail]") {
  const LiveServer server;
  append_notes(server, 0, 10);
  TailOptions options = reading("beginning");
  options.group = "g";
  options.on_loss = TailOptions::OnLoss::fail;
  {
    TailClient member(server.target(), options);
    CHECK(next_of<Events>(member).events.front().offset == Offset(0));
    REQUIRE(member.commit(Offset(4), soon()));
    CHECK(next_of<Committed>(member).offset == Offset(4));
    REQUIRE(member.reject(Offset(4), "no \"use\"\n", 3, soon()));
    CHECK(next_of<Committed>(member).offset == Offset(5));
    member.close(soon());
  }
  TailOptions waiting = options;
  waiting.on_loss = waiting.on_first_failure = TailOptions::OnLoss::reconnect;
  TailClient again(server.target(), waiting);  // the server may not have noticed the leave yet
  CHECK(next_of<Events>(again).events.front().offset == Offset(5));
  HttpClient http(server.target());
  const auto letters =
      http.send_ok({.path = "/api/consumers/g/dead-letters", .headers = {}, .body = {}}, soon());
  REQUIRE(letters);
  CHECK(letters->body.find(R"("offset":4)") != std::string::npos);
  CHECK(letters->body.find(R"("attempts":3)") != std::string::npos);
}

TEST_CASE("TailClient: a second member of a group is told its share once the first owes nothing",
          "[client][tail]") {
  const LiveServer server;
  append_notes(server, 0, 10);
  TailOptions options = reading("beginning");
  options.group = "g";
  TailClient first(server.target(), options);
  CHECK(next_of<Events>(first).events.size() == 10);
  TailClient second(server.target(), options);
  CHECK(next_of<Hello>(second).end == Offset(10));
  CHECK(next_of<Assigned>(first).slots == 32);
  REQUIRE(first.working(soon()));
  REQUIRE(first.commit(Offset(10), soon()));
  const Assigned assigned = next_of<Assigned>(second);
  CHECK(assigned.slots == 32);
  CHECK(assigned.members == 2);
  CHECK(assigned.from == Offset(10));
}

TEST_CASE("TailClient: errors that waiting does not mend are final", "[client][tail]") {
  LiveServer server;
  Target stranger = server.target();
  stranger.token = "wrong";
  TailClient refused(stranger, {});
  CHECK(error_of(refused) == make_error_code(Errc::unauthorized));
  TailClient nowhere(server.target(), reading("nowhere"));
  CHECK(error_of(nowhere) == make_error_code(Errc::rejected));
  TailClient beyond(server.target(), reading("99"));
  CHECK_FALSE(beyond.next(soon()));

  TailOptions impatient;
  impatient.on_loss = TailOptions::OnLoss::fail;
  TailClient tail(server.target(), impatient);
  (void)next_of<Hello>(tail);
  server.kill();
  CHECK(error_of(tail) == make_error_code(Errc::connection_lost));
  TailClient late(server.target(), {});  // at the very first it does not wait
  CHECK(error_of(late) == make_error_code(Errc::cannot_connect));
}

TEST_CASE("TailClient: a wait has an end and can be woken", "[client][tail]") {
  const LiveServer server;
  TailClient tail(server.target(), {});
  while (!std::holds_alternative<PositionReport>(next(tail))) {
  }
  CHECK(tail.next(within(std::chrono::milliseconds(10))).error().code ==
        make_error_code(Errc::timed_out));
  tail.wake();
  CHECK(tail.next(soon()).error().code == make_error_code(Errc::woken));
  tail.wake();
  tail.service(soon());  // ends early, too
  append_notes(server, 0, 1);
  CHECK(next_of<Events>(tail).events.front().event == note(0));
}
