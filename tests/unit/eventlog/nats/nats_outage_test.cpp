// SPDX-License-Identifier: MIT
#include <set>
#include <thread>

#include "nats_fixture.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::Answers;
using test::batch_of;
using test::NatsServer;
using test::open_stream;
using test::payload_of;
using test::publish;
using test::read;
using test::stream_at;

namespace {

/// Counts changes of a connection and waits for the state that is wanted.
class Watch {
 public:
  explicit Watch(nats::NatsStream& stream) : stream_(stream) {
    stream.on_connection_changed([this] {
      const MutexLock lock(mutex_);
      changed_.notify_all();
    });
  }
  void wait_until_connected(bool wanted) {
    MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + test::kPatience;
    while (stream_.is_connected() != wanted) {
      REQUIRE(changed_.wait_until(lock, until) == std::cv_status::no_timeout);
    }
  }

 private:
  nats::NatsStream& stream_;
  Mutex mutex_;
  CondVar changed_;
};

bool is_unknown(const Result<std::uint64_t>& outcome) {
  return !outcome && outcome.error().code == Errc::indeterminate;
}

/// Appends `n` for all n in [from, to) in one chain; the answers that came at once, too.
void offer(nats::NatsStream& stream, Answers& answers, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t i = from; i < to; ++i) {
    auto done = answers.expect(i);
    const auto offered = stream.publish(batch_of(Offset(i), {payload_of(i)}), i, done);
    if (!offered) {
      done(fail(offered.error()));
    }
  }
}

}  // namespace

TEST_CASE("NatsStream: a server that restarts is found again and has everything",
          "[eventlog][nats]") {
  NatsServer server;
  auto stream = stream_at(server.url());
  Watch watch(*stream);
  REQUIRE(stream->open(test::kPatience));
  const Uuid log_id = stream->facts()->log_id;
  REQUIRE(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 0));
  REQUIRE(read(*stream, 0, 1).size() == 1);
  SECTION("stopped") { server.stop(); }
  SECTION("killed") { server.kill(); }
  watch.wait_until_connected(false);
  const auto refused = publish(*stream, batch_of(Offset(1), {payload_of(1)}), 1);
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::unreachable);
  const auto facts = stream->facts();
  REQUIRE(!facts);
  CHECK(facts.error().code == Errc::unreachable);
  const auto followed = stream->follow(1, std::chrono::milliseconds(1), {});
  REQUIRE(!followed);
  CHECK(followed.error().code == Errc::unreachable);

  server.start_again();
  watch.wait_until_connected(true);
  CHECK(stream->facts()->log_id == log_id);
  REQUIRE(publish(*stream, batch_of(Offset(1), {payload_of(1)}), 1));
  const auto messages = read(*stream, 1, 1);
  CHECK(messages[0].sequence == 2);
  CHECK(messages[0].batch->first == Offset(1));
}

TEST_CASE("NatsStream: every publish is answered once when the server is killed",
          "[eventlog][nats]") {
  constexpr std::uint64_t kCount = 3'000;
  NatsServer server;
  auto stream = stream_at(server.url());
  Watch watch(*stream);
  REQUIRE(stream->open(test::kPatience));
  Answers answers;
  std::thread killer([&] {
    answers.wait_for(10);
    server.kill();
  });
  offer(*stream, answers, 0, kCount);
  killer.join();
  const auto outcomes = answers.wait_for(kCount);
  std::uint64_t acknowledged = 0;
  std::uint64_t possible = 0;
  for (const auto& [number, outcome] : outcomes) {
    CAPTURE(number, outcome ? "" : outcome.error().message());
    const bool unreachable = !outcome && outcome.error().code == Errc::unreachable;
    CHECK((outcome || is_unknown(outcome) || unreachable));
    acknowledged += outcome ? 1U : 0U;
    possible += unreachable ? 0U : 1U;
  }
  CHECK(acknowledged >= 1);
  server.start_again();
  watch.wait_until_connected(true);
  // What was acknowledged is there, what was said not to be there is not.
  const std::uint64_t last = stream->facts()->last_sequence;
  CHECK(last >= acknowledged);
  CHECK(last <= possible);
  const auto messages = read(*stream, 0, last);
  for (std::uint64_t i = 0; i < last; ++i) {
    REQUIRE(messages[i].batch);
    CHECK(messages[i].batch->first == Offset(i));
  }
}

TEST_CASE("NatsStream: a reader goes on where it was, whatever happens to the server",
          "[eventlog][nats]") {
  constexpr std::uint64_t kRounds = 3;
  constexpr std::uint64_t kEach = 200;
  NatsServer server;
  auto stream = stream_at(server.url());
  Watch watch(*stream);
  REQUIRE(stream->open(test::kPatience));
  std::vector<remote::RemoteMessage> messages;
  std::thread reader([&] { messages = read(*stream, 0, kRounds * kEach); });
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    watch.wait_until_connected(true);
    Answers answers;
    offer(*stream, answers, round * kEach, (round + 1) * kEach);
    for (const auto& [number, outcome] : answers.wait_for(kEach)) {
      CAPTURE(number, outcome ? "" : outcome.error().message());
      CHECK(outcome);
    }
    if (round + 1 < kRounds) {
      round % 2 == 0 ? server.kill() : server.stop();
      watch.wait_until_connected(false);
      server.start_again();
    }
  }
  reader.join();
  REQUIRE(messages.size() == kRounds * kEach);
  for (std::uint64_t i = 0; i < messages.size(); ++i) {
    REQUIRE(messages[i].batch);
    CHECK(messages[i].sequence == i + 1);
    CHECK(messages[i].batch->first == Offset(i));
  }
}

TEST_CASE("NatsStream: a server that says nothing any more is told from one that answers",
          "[eventlog][nats]") {
  NatsServer server;
  auto stream = open_stream(server.url());
  Answers answers;
  server.pause();
  offer(*stream, answers, 0, 10);
  for (const auto& [number, outcome] : answers.wait_for(10)) {
    CAPTURE(number, outcome ? "taken" : outcome.error().message());
    CHECK(is_unknown(outcome));
  }
  server.resume();
  // "It may be in the stream, or come into it later."
  const auto messages = read(*stream, 0, 10);
  CHECK(messages.back().sequence == 10);
}

TEST_CASE("NatsStream: it can be closed while the server is away", "[eventlog][nats]") {
  NatsServer server;
  auto stream = stream_at(server.url());
  Watch watch(*stream);
  REQUIRE(stream->open(test::kPatience));
  Answers answers;
  SECTION("gone") {
    server.kill();
    watch.wait_until_connected(false);
    stream->close();
  }
  SECTION("silent") {
    server.pause();
    offer(*stream, answers, 0, 5);
    stream->close();
    CHECK(answers.count() == 5);
    server.resume();
  }
}
