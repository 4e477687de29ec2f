// SPDX-License-Identifier: MIT
#include "net/append_socket.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "eventlog/event_log.hpp"
#include "support/catch.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"

using namespace vibes;
using namespace vibes::test;
using nlohmann::json;

namespace {

/// A log that takes appends and answers when it is told to, with what it is told.
class HeldLog final : public eventlog::EventLog {
 public:
  explicit HeldLog(eventlog::EventLog& inner) : inner_(inner) {}

  Result<void> append(std::vector<event::NewEvent> batch, eventlog::AppendDone done) override {
    if (full) {
      return fail(eventlog::Errc::queue_full, "64 MiB wait");
    }
    if (failed) {
      return fail(eventlog::Errc::failed, "the disk is gone");
    }
    waiting.push_back({std::move(batch), std::move(done)});
    return {};
  }
  /// Answers the oldest `count` appends as the engine does.
  void commit(std::size_t count = SIZE_MAX) {
    for (; count > 0 && !waiting.empty(); --count) {
      auto [batch, done] = std::move(waiting.front());
      waiting.erase(waiting.begin());
      std::mutex mutex;
      std::condition_variable answered;
      bool ready = false;
      std::optional<Offset> last;
      REQUIRE(inner_.append(std::move(batch), [&, done = done](auto receipt) {
        if (receipt) {
          last = receipt->places.back().offset;
        }
        done(std::move(receipt));
        const std::lock_guard lock(mutex);
        ready = true;
        answered.notify_one();
      }));
      std::unique_lock lock(mutex);
      answered.wait(lock, [&ready] { return ready; });
      if (last) {
        inner_.signal().wait_beyond(*last, {}, std::chrono::minutes(1));
      }
    }
  }
  /// Answers the oldest append as an engine does that is away; its events come later, or never.
  void keep(eventlog::Durability durability = eventlog::Durability::fsync) {
    eventlog::AppendReceipt receipt;
    receipt.durability = durability;
    receipt.pending = true;
    for (const event::NewEvent& event : waiting.front().batch) {
      receipt.places.push_back({Offset{}, event.event_id.value_or(random_uuid()), false});
    }
    waiting.front().done(std::move(receipt));
    waiting.erase(waiting.begin());
  }
  void refuse(eventlog::Errc code) {
    waiting.front().done(fail(code, "told to"));
    waiting.erase(waiting.begin());
  }

  [[nodiscard]] Uuid log_id() const override { return inner_.log_id(); }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& position) override {
    return inner_.reader(position);
  }
  Result<Offset> resolve(const eventlog::Position& position) override {
    return inner_.resolve(position);
  }
  [[nodiscard]] Offset first() const override { return inner_.first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return inner_.signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return inner_.group_offsets(); }
  [[nodiscard]] eventlog::LogStatus status() const override { return inner_.status(); }
  Result<void> close() override { return inner_.close(); }

  struct Waiting {
    std::vector<event::NewEvent> batch;
    eventlog::AppendDone done;
  };
  std::vector<Waiting> waiting;
  bool full = false;
  bool failed = false;

 private:
  eventlog::EventLog& inner_;
};

struct AppendServer {
  TestLog events;
  HeldLog log{events.log()};
  net::AppendBudget budget{limits::kUnackedBytesTotal};
  net::AppendContext context{log, budget, {}};
};

class Producer {
 public:
  explicit Producer(AppendServer& server, const TestQuery& query = {}) {
    auto maker = net::plan_append_socket(query, server.context);
    if (!maker) {
      throw std::runtime_error(maker.error().message());
    }
    endpoint_ = (*maker)(connection);
    endpoint_->on_open();
  }
  void send(std::string_view text) { send_together({text}); }
  /// What comes in one turn of the net thread.
  void send_together(const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) {
      endpoint_->on_message(text);
    }
    endpoint_->on_input_end();
  }
  std::vector<json> take() {
    connection.settle(*endpoint_);
    std::vector<json> answers;
    for (const std::string& text : connection.take_texts()) {
      answers.push_back(json::parse(text));
    }
    return answers;
  }
  bool fire_timer() { return connection.fire_timer(*endpoint_, clock_); }
  net::Endpoint& endpoint() { return *endpoint_; }
  void end() {
    endpoint_->on_close();
    connection.end();
    endpoint_.reset();
  }

  RecordingConnection connection;

 private:
  ManualClock clock_;
  std::unique_ptr<net::Endpoint> endpoint_;
};

std::string event_json(int n) { return R"({"type":"note","n":)" + std::to_string(n) + "}"; }

}  // namespace

TEST_CASE("AppendSocket: one event, one ack", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(1));
  CHECK(producer.take().empty());  // not before it is durable
  server.log.commit();
  const auto answers = producer.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0] == json{{"type", "ack"},
                           {"first_offset", 0},
                           {"last_offset", 0},
                           {"count", 1},
                           {"durability", "memory"},
                           {"duplicates", 0}});
}

TEST_CASE("AppendSocket: a message of several lines is one atomic batch", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(1) + "\n\n" + event_json(2) + "\r\n" + event_json(3));
  REQUIRE(server.log.waiting.size() == 1);
  CHECK(server.log.waiting[0].batch.size() == 3);
  server.log.commit();
  CHECK(producer.take().at(0).at("count") == 3);

  producer.send(event_json(1) + "\n{\"type\":5}\n" + event_json(3));
  CHECK(server.log.waiting.empty());
  const auto answers = producer.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].at("type") == "nack");
  CHECK(answers[0].at("code") == "invalid_event");
  CHECK(answers[0].at("reason") == "bad_type");
  CHECK(answers[0].at("line") == 2);
}

TEST_CASE("AppendSocket: acks of one wake-up are one frame, a nack stands between",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  for (int i = 0; i < 5; ++i) {
    producer.send(event_json(i));
  }
  producer.send("nonsense");
  for (int i = 0; i < 3; ++i) {
    producer.send(event_json(i));
  }
  CHECK(producer.take().empty());
  server.log.commit();
  const auto answers = producer.take();
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].at("count") == 5);
  CHECK(answers[0].at("first_offset") == 0);
  CHECK(answers[0].at("last_offset") == 4);
  CHECK(answers[1].at("type") == "nack");
  CHECK(answers[2].at("count") == 3);
  CHECK(answers[2].at("first_offset") == 5);
}

TEST_CASE("AppendSocket: messages that come together are answered each for itself, in order",
          "[net][append]") {
  const std::string id = R"(,"event_id":"0190a1b2-0000-7000-8000-00000000000a"})";
  const std::string first = R"({"type":"note","n":1)" + id;
  const std::string conflict = R"({"type":"note","n":2)" + id;
  const std::string plain = event_json(3);
  for (const std::string ids : {"0", "1"}) {
    AppendServer server;
    Producer producer(server, {{"ids", ids}});
    producer.send_together({first, plain, conflict, "nonsense", plain + "\n" + plain});
    server.log.commit();
    const auto answers = producer.take();
    std::vector<std::string> told;
    std::uint64_t count = 0;
    for (const json& answer : answers) {
      told.push_back(answer.value("code", "ack"));
      count += answer.value("count", 0U);
    }
    CHECK(told == std::vector<std::string>{"ack", "event_id_conflict", "invalid_event", "ack"});
    CHECK(count == 4);
    CHECK(answers.back().at("first_offset") == 2);
    CHECK(answers.back().at("last_offset") == 3);
    CHECK(server.budget.used_bytes() == 0);
  }
}

TEST_CASE("AppendSocket: answers come in the order of the messages, whatever comes when",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(0));
  producer.send("bad 1");
  producer.send(event_json(1));
  producer.send("bad 2");
  server.log.commit(1);
  auto answers = producer.take();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("type") == "ack");
  CHECK(answers[1].at("type") == "nack");
  server.log.commit();
  answers = producer.take();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("type") == "ack");
  CHECK(answers[1].at("type") == "nack");
}

TEST_CASE("AppendSocket: a producer that does not read gets one ack for all", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  for (int i = 0; i < 1'000; ++i) {
    producer.send(event_json(i));
    server.log.commit();
    producer.connection.run_posts();
  }
  const auto answers = producer.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].at("count") == 1'000);
}

TEST_CASE("AppendSocket: ids=1 adds the event ids, in frames of bounded size", "[net][append]") {
  AppendServer server;
  Producer producer(server, {{"ids", "1"}});
  const std::string id = "0190a1b2-0000-7000-8000-00000000000a";
  producer.send(R"({"type":"note","event_id":")" + id + "\"}");
  for (int i = 0; i < 5'000; ++i) {
    producer.send(event_json(i));
  }
  server.log.commit();
  const auto answers = producer.take();
  REQUIRE(answers.size() >= 3);
  CHECK(answers[0].at("event_ids")[0] == id);
  std::size_t count = 0;
  for (const json& answer : answers) {
    CHECK(answer.at("event_ids").size() == answer.at("count"));
    count += answer.at("event_ids").size();
  }
  CHECK(count == 5'001);
  CHECK(producer.connection.largest_write() <= limits::kWriteChunkBytes);
}

TEST_CASE(
    "AppendSocket: the same event again is a duplicate, its id with another payload a conflict",
    "[net][append]") {
  AppendServer server;
  Producer producer(server);
  const std::string id = R"(,"event_id":"0190a1b2-0000-7000-8000-00000000000a"})";
  producer.send(R"({"type":"note","n":1)" + id);
  server.log.commit();
  producer.take();
  producer.send(R"({"type":"note","n":1)" + id);
  producer.send(R"({"type":"note","n":2)" + id);
  server.log.commit();
  const auto answers = producer.take();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("first_offset") == 0);
  CHECK(answers[0].at("duplicates") == 1);
  CHECK(answers[1].at("code") == "event_id_conflict");
}

TEST_CASE("AppendSocket: what the log says no to is a nack that names it", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  const std::vector<std::pair<eventlog::Errc, std::string>> cases{
      {eventlog::Errc::storage_full, "storage_full"},
      {eventlog::Errc::indeterminate, "indeterminate"},
      {eventlog::Errc::failed, "log_not_writable"},
      {eventlog::Errc::unreachable, "engine_unreachable"},
  };
  for (const auto& [code, name] : cases) {
    producer.send(event_json(1));
    server.log.refuse(code);
    CHECK(producer.take().at(0).at("code") == name);
  }
  server.log.failed = true;
  producer.send(event_json(1));
  CHECK(producer.take().at(0).at("code") == "log_not_writable");
}

TEST_CASE("AppendSocket: a minimum that the log does not give refuses every message",
          "[net][append]") {
  AppendServer server;
  Producer producer(server, {{"ack", "fsync"}});
  producer.send(event_json(1));
  CHECK(server.log.waiting.empty());
  CHECK(producer.take().at(0).at("code") == "durability_unavailable");
  Producer content(server, {{"ack", "memory"}});
  content.send(event_json(1));
  CHECK(server.log.waiting.size() == 1);
}

TEST_CASE("AppendSocket: a bad query is refused", "[net][append]") {
  AppendServer server;
  for (const TestQuery& query : {TestQuery{{"ack", "sure"}}, TestQuery{{"ids", "yes"}}}) {
    const auto maker = net::plan_append_socket(query, server.context);
    REQUIRE_FALSE(maker);
    CHECK(maker.error().code == std::errc::invalid_argument);
  }
}

TEST_CASE("AppendSocket: a full queue stops the reading and is tried again, never a nack",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(0));
  server.log.full = true;
  producer.send(event_json(1));
  CHECK(producer.connection.paused());
  producer.send(event_json(2));  // had been read from the socket before the pause
  CHECK(server.log.waiting.size() == 1);
  server.log.full = false;
  SECTION("when the timer fires") { REQUIRE(producer.fire_timer()); }
  SECTION("when the log moves") { producer.endpoint().on_log_moved(); }
  SECTION("when an ack comes") {
    server.log.commit();
    producer.take();
  }
  CHECK_FALSE(producer.connection.paused());
  server.log.commit();
  producer.take();
  REQUIRE(server.events.log().end() == Offset(3));
  auto reader = *server.events.log().reader(eventlog::Beginning{});
  const auto batch = *reader->read({});
  REQUIRE(batch.events.size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(batch.events[static_cast<std::size_t>(i)].payload == event_json(i));
  }
}

TEST_CASE("AppendSocket: what is not acknowledged is bounded in bytes", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  const std::string large = R"({"type":"note","pad":")" + std::string(1'000'000, 'x') + "\"}";
  for (int i = 0; i < 30; ++i) {
    producer.send(large);
  }
  CHECK(producer.connection.paused());
  CHECK(server.log.waiting.size() * large.size() <= limits::kUnackedBytesPerConnection);
  CHECK(server.log.waiting.size() == 16);
  server.log.commit();
  producer.take();
  server.log.commit();
  const auto answers = producer.take();
  CHECK(answers.back().at("type") == "ack");
  CHECK(server.events.log().end() == Offset(30));
  CHECK_FALSE(producer.connection.paused());
  CHECK(server.budget.used_bytes() == 0);
}

TEST_CASE("AppendSocket: the budget of all connections holds, and comes back with the acks",
          "[net][append]") {
  AppendServer server;
  std::vector<std::unique_ptr<Producer>> producers;
  const std::string large = R"({"type":"note","pad":")" + std::string(1'000'000, 'x') + "\"}";
  for (int p = 0; p < 8; ++p) {
    producers.push_back(std::make_unique<Producer>(server));
    for (int i = 0; i < 12; ++i) {
      producers.back()->send(large);
    }
  }
  CHECK(server.budget.used_bytes() <= limits::kUnackedBytesTotal);
  CHECK(producers.back()->connection.paused());
  while (server.events.log().end() < Offset(96)) {
    server.log.commit();
    for (const auto& producer : producers) {
      producer->take();
      producer->fire_timer();
    }
  }
  for (const auto& producer : producers) {
    producer->take();
  }
  CHECK(server.budget.used_bytes() == 0);
  producers[0]->send(large);
  CHECK(server.budget.used_bytes() > 0);
  producers[0]->end();
  CHECK(server.budget.used_bytes() == 0);
}

TEST_CASE("AppendSocket: a stopping server acknowledges what it took, then goes away",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(0));
  producer.endpoint().on_stop();
  CHECK(producer.connection.paused());
  producer.send(event_json(1));  // too late: not taken, not acknowledged
  CHECK_FALSE(producer.connection.close_code());
  server.log.commit();
  const auto answers = producer.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].at("count") == 1);
  CHECK(producer.connection.close_code() == net::CloseCode::going_away);
  CHECK(server.events.log().end() == Offset(1));
}

TEST_CASE("AppendSocket: an ack waits until its event can be read", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(0));
  // As the engine does it, but the end has not moved yet.
  eventlog::AppendReceipt receipt;
  receipt.places.push_back({Offset(0), random_uuid(), false});
  server.log.waiting.front().done(receipt);
  server.log.waiting.clear();
  CHECK(producer.take().empty());
  server.events.append(event_json(0));
  producer.endpoint().on_log_moved();
  CHECK(producer.take().size() == 1);
}

TEST_CASE("AppendSocket: the ack of pending events has their ids and no offsets, at once",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  const std::string id = "0190a1b2-0000-7000-8000-00000000000a";
  producer.send(R"({"type":"note","event_id":")" + id + "\"}");
  server.log.keep();
  const auto answers = producer.take();  // the log has not moved, and need not
  REQUIRE(answers.size() == 1);
  CHECK(answers[0] == json{{"type", "ack"},
                           {"pending", true},
                           {"count", 1},
                           {"durability", "fsync"},
                           {"duplicates", 0},
                           {"event_ids", {id}}});
}

TEST_CASE("AppendSocket: pending acks are merged with each other only", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  for (int i = 0; i < 6; ++i) {
    producer.send(event_json(i));
  }
  server.log.commit(2);
  server.log.keep();
  server.log.keep(eventlog::Durability::memory);
  server.log.commit(2);
  const auto answers = producer.take();
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].at("last_offset") == 1);
  CHECK_FALSE(answers[0].contains("pending"));
  CHECK(answers[1].at("pending") == true);
  CHECK(answers[1].at("count") == 2);
  CHECK(answers[1].at("durability") == "memory");
  CHECK(answers[1].at("event_ids").size() == 2);
  CHECK(answers[2].at("first_offset") == 2);
  CHECK(answers[2].at("last_offset") == 3);
  CHECK_FALSE(answers[2].contains("event_ids"));
  CHECK(server.budget.used_bytes() == 0);
}

TEST_CASE("AppendSocket: many pending acks that nobody reads come in frames of bounded size",
          "[net][append]") {
  AppendServer server;
  Producer producer(server);
  for (int i = 0; i < 5'000; ++i) {
    producer.send(event_json(i));
    server.log.keep();
  }
  std::size_t count = 0;
  for (const json& answer : producer.take()) {
    CHECK(answer.at("event_ids").size() == answer.at("count"));
    count += answer.at("event_ids").size();
  }
  CHECK(count == 5'000);
  CHECK(producer.connection.largest_write() <= limits::kWriteChunkBytes);
}

TEST_CASE("AppendSocket: a receipt may come after the connection has ended", "[net][append]") {
  AppendServer server;
  Producer producer(server);
  producer.send(event_json(0));
  producer.end();
  server.log.commit();
  CHECK(server.events.log().end() == Offset(1));
}

TEST_CASE("AppendSocket: producers on several threads keep their own order",
          "[net][append][threads]") {
  TestLog events;
  net::AppendBudget budget;
  constexpr int kEach = 2'000;
  constexpr int kThreads = 3;
  std::vector<std::jthread> threads;
  std::vector<std::uint64_t> acked(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      net::AppendContext context{events.log(), budget, {}};
      RecordingConnection connection;
      const auto maker = net::plan_append_socket(TestQuery{}, context);
      const auto endpoint = (*maker)(connection);
      for (int i = 0; i < kEach; ++i) {
        endpoint->on_message(R"({"type":"note","t":)" + std::to_string(t) + R"(,"n":)" +
                             std::to_string(i) + "}");
        connection.settle(*endpoint);
      }
      while (acked[static_cast<std::size_t>(t)] < kEach) {
        connection.settle(*endpoint);
        endpoint->on_log_moved();
        for (const std::string& text : connection.take_texts()) {
          acked[static_cast<std::size_t>(t)] += json::parse(text).at("count").get<std::uint64_t>();
        }
      }
      endpoint->on_close();
      connection.end();
    });
  }
  threads.clear();
  std::vector<int> next(kThreads);
  auto reader = *events.log().reader(eventlog::Beginning{});
  while (reader->position() < Offset(kThreads * kEach)) {
    const auto batch = *reader->read({});
    for (const auto& event : batch.events) {
      const json payload = json::parse(event.payload);
      CHECK(payload.at("n") == next[payload.at("t").get<std::size_t>()]++);
    }
  }
}
