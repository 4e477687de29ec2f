// SPDX-License-Identifier: MIT
#include "client/append_client.hpp"

#include <csignal>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "support/live_server.hpp"
#include "support/nats_server.hpp"

using namespace vibes;
using namespace vibes::client;
using test::LiveServer;
using test::soon;

namespace {

AppendClient connect(const Target& target, const AppendOptions& options = {}) {
  auto client = AppendClient::connect(target, options, soon());
  if (!client) {
    FAIL(client.error().message());
  }
  return *std::move(client);
}

std::string note(int number, std::size_t padding = 0) {
  static UuidV7Generator ids;
  return R"({"type":"note","event_id":")" + to_string(ids.next(system_clock().now())) +
         R"(","n":)" + std::to_string(number) + R"(,"pad":")" + std::string(padding, 'x') + "\"}";
}

Ack next_ack(AppendClient& client) {
  auto answer = client.receive(soon());
  if (!answer) {
    FAIL(answer.error().message());
  }
  REQUIRE(std::holds_alternative<Ack>(*answer));
  return std::get<Ack>(*std::move(answer));
}

/// Receives until nothing is unanswered; the number of events and of duplicates among them.
std::pair<std::uint64_t, std::uint64_t> settle(AppendClient& client) {
  std::uint64_t events = 0;
  std::uint64_t duplicates = 0;
  while (client.unanswered_messages() > 0) {
    const Ack ack = next_ack(client);
    events += ack.events;
    duplicates += ack.duplicates;
  }
  return {events, duplicates};
}

std::string health(const Target& target) {
  HttpClient http(target);
  const auto answer = http.send_ok({.path = "/api/health", .headers = {}, .body = {}}, soon());
  REQUIRE(answer);
  return answer->body;
}

}  // namespace

TEST_CASE("AppendClient: an ack of pending events has ids and no offsets", "[client][append]") {
  test::NatsServer nats;
  LiveServer server({}, nats.url());
  AppendClient client = connect(server.target());
  REQUIRE(client.send(note(0), soon()));
  CHECK_FALSE(next_ack(client).pending);
  nats.kill();
  while (health(server.target()).find(R"("state":"away")") == std::string::npos) {
  }
  REQUIRE(client.send(note(1) + "\n" + note(2), soon()));
  const Ack ack = next_ack(client);
  CHECK(ack.pending);
  CHECK(ack.events == 2);
  CHECK(ack.messages == 1);
  CHECK_FALSE(ack.first_offset);
  CHECK_FALSE(ack.last_offset);
  CHECK(ack.durability == "fsync");
  CHECK(ack.event_ids.size() == 2);
  CHECK(client.unanswered_messages() == 0);
}

TEST_CASE("AppendClient: pipelined messages are acknowledged in order, each once",
          "[client][append]") {
  const LiveServer server;
  AppendClient client = connect(server.target());
  constexpr int kMessages = 500;
  std::size_t bytes = 0;
  for (int i = 0; i < kMessages; ++i) {
    // Every tenth is a batch of three lines, with an empty one among them.
    const std::string text =
        i % 10 == 0 ? note(i) + "\n\n" + note(i) + "\n" + note(i) + "\n" : note(i);
    bytes += text.size();
    REQUIRE(client.send(text, soon()));
  }
  CHECK(client.unanswered_messages() <= kMessages);
  CHECK(client.unanswered_bytes() <= bytes);
  std::size_t messages = 0;
  std::uint64_t next = 0;
  while (messages < kMessages) {
    const Ack ack = next_ack(client);
    CHECK(ack.first_offset == Offset(next));
    CHECK(ack.last_offset == Offset(next + ack.events - 1));
    CHECK(ack.durability == "fsync");
    CHECK(ack.duplicates == 0);
    CHECK(ack.event_ids.empty());
    messages += ack.messages;
    next += ack.events;
  }
  CHECK(messages == kMessages);
  CHECK(next == kMessages + kMessages / 10 * 2);
  CHECK(client.unanswered_messages() == 0);
  CHECK(client.unanswered_bytes() == 0);
  CHECK(client.close(soon()));
}

TEST_CASE("AppendClient: with want_ids each event's id is told", "[client][append]") {
  const LiveServer server;
  AppendClient client = connect(server.target(), {.minimum_ack = "fsync", .want_ids = true});
  const std::string known = "01990000-0000-7000-8000-000000000007";
  REQUIRE(client.send(R"({"type":"note"})"
                      "\n"
                      R"({"type":"note","event_id":")" +
                          known + "\"}",
                      soon()));
  const Ack ack = next_ack(client);
  CHECK(ack.messages == 1);
  REQUIRE(ack.event_ids.size() == 2);
  CHECK_FALSE(ack.event_ids[0].is_nil());
  CHECK(to_string(ack.event_ids[1]) == known);
}

TEST_CASE("AppendClient: a refusal is of one message, and the connection goes on",
          "[client][append]") {
  const LiveServer server;
  AppendClient client = connect(server.target());
  const std::string bad = note(1) + "\n" + R"({"no":"type"})";
  REQUIRE(client.send(note(0), soon()));
  REQUIRE(client.send(bad, soon()));
  REQUIRE(client.send(note(2), soon()));
  CHECK(next_ack(client).first_offset == Offset(0));
  const auto answer = client.receive(soon());
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<Nack>(*answer));
  const Nack& nack = std::get<Nack>(*answer);
  CHECK(nack.code == "invalid_event");
  CHECK(nack.line == 2);
  CHECK_FALSE(nack.message.empty());
  CHECK(nack.sent == bad);
  CHECK(next_ack(client).first_offset == Offset(1));  // nothing of the refused batch was taken
  CHECK(client.unanswered_bytes() == 0);
}

TEST_CASE("AppendClient: a durability that the log does not give is refused", "[client][append]") {
  const LiveServer server({"--durability", "os"});
  AppendOptions options;
  options.minimum_ack = "fsync";
  AppendClient client = connect(server.target(), options);
  REQUIRE(client.send(note(0), soon()));
  const auto answer = client.receive(soon());
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<Nack>(*answer));
  CHECK(std::get<Nack>(*answer).code == "durability_unavailable");
  options.minimum_ack = "os";
  AppendClient content = connect(server.target(), options);
  REQUIRE(content.send(note(0), soon()));
  CHECK(next_ack(content).durability == "os");
}

TEST_CASE("AppendClient: what had no answer is sent again, and is in the log once",
          "[client][append]") {
  LiveServer server;
  AppendClient client = connect(server.target());
  constexpr int kMessages = 200;
  for (int i = 0; i < kMessages; ++i) {
    REQUIRE(client.send(note(i), soon()));
  }
  const Ack early = next_ack(client);  // some are surely in the log, and no one has heard of others
  server.kill();
  while (auto answer = client.receive(soon())) {
    // What had been answered before the kill; then the loss.
  }
  const std::size_t in_doubt = client.unanswered_messages();
  CHECK(in_doubt < kMessages);
  server.start_again();
  REQUIRE(client.reconnect(soon()));
  CHECK(client.unanswered_messages() == in_doubt);
  // One that surely is a duplicate, behind the others.
  const std::string again = note(-1);
  REQUIRE(client.send(again, soon()));
  REQUIRE(client.send(again, soon()));
  const auto [events, duplicates] = settle(client);
  CHECK(events == in_doubt + 2);
  CHECK(duplicates >= 1);
  CHECK(early.events > 0);
  CHECK(health(server.target()).find("\"end\":" + std::to_string(kMessages + 1)) !=
        std::string::npos);
}

TEST_CASE("AppendClient: what waits for an answer is bounded, and waiting has an end",
          "[client][append]") {
  LiveServer server;
  AppendClient client = connect(server.target());
  REQUIRE(::kill(server.process().pid(), SIGSTOP) == 0);
  const std::string large = note(0, limits::kMiB / 2);
  std::size_t taken = 0;
  Result<void> sent;
  while ((sent = client.send(note(0, limits::kMiB / 2), within(std::chrono::milliseconds(200))))) {
    ++taken;
    REQUIRE(taken * large.size() < 2 * limits::kUnackedBytesPerConnection);
  }
  CHECK(sent.error().code == make_error_code(Errc::timed_out));
  CHECK(client.unanswered_bytes() <= limits::kUnackedBytesPerConnection);
  CHECK(client.unanswered_messages() == taken);  // what timed out was not taken
  REQUIRE(::kill(server.process().pid(), SIGCONT) == 0);
  CHECK(settle(client).first == taken);
}

TEST_CASE("AppendClient: answers that come while send waits for room are kept",
          "[client][append]") {
  const LiveServer server;
  AppendClient client = connect(server.target());
  constexpr std::size_t kLarge = limits::kMiB / 2;
  const std::size_t messages = 3 * limits::kUnackedBytesPerConnection / kLarge;
  for (std::size_t i = 0; i < messages; ++i) {
    REQUIRE(client.send(note(static_cast<int>(i), kLarge), soon()));
    REQUIRE(client.unanswered_bytes() <= limits::kUnackedBytesPerConnection);
  }
  std::size_t answered = 0;
  for (std::uint64_t next = 0; answered < messages;) {
    const Ack ack = next_ack(client);
    CHECK(ack.first_offset == Offset(next));
    next += ack.events;
    answered += ack.messages;
  }
  CHECK(client.unanswered_messages() == 0);
}

TEST_CASE("AppendClient: why there is no connection is told apart", "[client][append]") {
  LiveServer server;
  Target stranger = server.target();
  stranger.token = "wrong";
  CHECK(AppendClient::connect(stranger, {}, soon()).error().code ==
        make_error_code(Errc::unauthorized));
  AppendClient client = connect(server.target());
  CHECK(client.receive(within(std::chrono::milliseconds(10))).error().code ==
        make_error_code(Errc::timed_out));
  client.wake();
  CHECK(client.receive(soon()).error().code == make_error_code(Errc::woken));
  server.kill();
  CHECK(client.receive(soon()).error().code == make_error_code(Errc::connection_lost));
  CHECK(client.reconnect(soon()).error().code == make_error_code(Errc::cannot_connect));
}

TEST_CASE("AppendClient: wake() from another thread ends a wait", "[client][append]") {
  const LiveServer server;
  AppendClient client = connect(server.target());
  std::jthread other([&client] { client.wake(); });
  CHECK(client.receive(soon()).error().code == make_error_code(Errc::woken));
}
