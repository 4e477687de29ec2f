// SPDX-License-Identifier: MIT
#include "eventlog/nats/nats_stream.hpp"

#include <cstdlib>
#include <thread>

#include "base/limits.hpp"
#include "eventlog/nats/handles.hpp"
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

/// Somebody who knows nothing of vibes.
class Stranger {
 public:
  explicit Stranger(const NatsServer& server) {
    const natsStatus status =
        natsConnection_ConnectTo(nats::Out(connection_), server.url("").c_str());
    REQUIRE(status == NATS_OK);
    REQUIRE(natsConnection_JetStream(nats::Out(jetstream_), connection_.get(), nullptr) == NATS_OK);
  }
  void publish(const char* subject, const char* text) {
    REQUIRE(js_Publish(nullptr, jetstream_.get(), subject, text,
                       static_cast<int>(std::string_view(text).size()), nullptr,
                       nullptr) == NATS_OK);
  }
  void remove_message(std::uint64_t sequence) {
    REQUIRE(js_DeleteMsg(jetstream_.get(), "vibes", sequence, nullptr, nullptr) == NATS_OK);
  }
  void remove_stream() {
    REQUIRE(js_DeleteStream(jetstream_.get(), "vibes", nullptr, nullptr) == NATS_OK);
  }

 private:
  nats::NatsPtr<natsConnection> connection_;
  nats::NatsPtr<jsCtx> jetstream_;
};

}  // namespace

TEST_CASE("NatsStream: an empty stream says so", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url("/vibes"));
  CHECK(stream->is_connected());
  const auto facts = stream->facts();
  REQUIRE(facts);
  CHECK(facts->first_sequence == 1);
  CHECK(facts->last_sequence == 0);
  CHECK(facts->durability == Durability::os);
  CHECK(facts->message_bytes_max > 1'000'000);
  CHECK(!facts->log_id.is_nil());
  const auto nothing = stream->follow(0, std::chrono::milliseconds(1), {});
  REQUIRE(nothing);
  CHECK(nothing->empty());
  CHECK(open_stream(server.url("/other?sync=always"))->facts()->durability == Durability::fsync);
}

TEST_CASE("NatsStream: what is published comes back in order, byte for byte", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  const std::vector<remote::RemoteBatch> batches = {
      batch_of(Offset(0), {"{ \"type\":\"x\",\n \"n\":1.0e0 }"}),
      batch_of(Offset(1), {R"({"type":"a","session_id":"s.1"})", "{\"type\":\r\n\"b\"}"}),
      batch_of(Offset(3), {R"({"type":"c"})"})};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto sequence = publish(*stream, batches[i], i);
    REQUIRE(sequence);
    CHECK(*sequence == i + 1);
  }
  const auto messages = read(*stream, 0, 3);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    CAPTURE(messages[i].foreign);
    REQUIRE(messages[i].batch);
    CHECK(messages[i].sequence == i + 1);
    CHECK(messages[i].batch->first == batches[i].first);
    CHECK(messages[i].batch->time == batches[i].time);
    REQUIRE(messages[i].batch->events.size() == batches[i].events.size());
    for (std::size_t k = 0; k < batches[i].events.size(); ++k) {
      CHECK(messages[i].batch->events[k].payload == batches[i].events[k].payload);
      CHECK(messages[i].batch->events[k].event_id == batches[i].events[k].event_id);
      CHECK(messages[i].batch->events[k].session == batches[i].events[k].session);
    }
  }
  CHECK(read(*stream, 1, 2).front().sequence == 2);  // not where it stopped
  CHECK(stream->facts()->last_sequence == 3);
}

TEST_CASE("NatsStream: many in flight are taken as one chain", "[eventlog][nats]") {
  constexpr std::uint64_t kCount = 2'000;
  const NatsServer server;
  auto stream = open_stream(server.url());
  Answers answers;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    REQUIRE(stream->publish(batch_of(Offset(i), {payload_of(i)}), i, answers.expect(i)));
  }
  for (const auto& [number, outcome] : answers.wait_for(kCount)) {
    REQUIRE(outcome);
    CHECK(*outcome == number + 1);
  }
  const auto messages = read(*stream, 0, kCount);
  for (std::uint64_t i = 0; i < kCount; ++i) {
    REQUIRE(messages[i].batch);
    CHECK(messages[i].batch->first == Offset(i));
  }
}

TEST_CASE("NatsStream: behind another writer's message nothing of the chain is taken",
          "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  REQUIRE(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 0));
  auto other = open_stream(server.url());
  REQUIRE(publish(*other, batch_of(Offset(1), {payload_of(1)}), 1));
  Answers answers;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    REQUIRE(stream->publish(batch_of(Offset(i), {payload_of(i)}), i, answers.expect(i)));
  }
  for (const auto& [number, outcome] : answers.wait_for(10)) {
    CAPTURE(number);
    REQUIRE(!outcome);
    CHECK(outcome.error().code == Errc::not_next);
  }
  CHECK(stream->facts()->last_sequence == 2);
}

TEST_CASE("NatsStream: into an empty stream only one can be the first", "[eventlog][nats]") {
  const NatsServer server;
  auto a = open_stream(server.url());
  auto b = open_stream(server.url());
  REQUIRE(publish(*a, batch_of(Offset(0), {payload_of(0)}), 0));
  const auto second = publish(*b, batch_of(Offset(0), {payload_of(1)}), 0);
  REQUIRE(!second);
  CHECK(second.error().code == Errc::not_next);
}

TEST_CASE("NatsStream: the same message again is not next", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  const auto batch = batch_of(Offset(0), {payload_of(0)});
  REQUIRE(publish(*stream, batch, 0));
  const auto again = publish(*stream, batch, 1);
  REQUIRE(!again);
  CHECK(again.error().code == Errc::not_next);
  CHECK(stream->facts()->last_sequence == 1);
}

TEST_CASE("NatsStream: what is too large is refused, what is said to fit is taken",
          "[eventlog][nats]") {
  const NatsServer server(test::NatsServerConfig{{}, {}, 20'000, {}});
  auto stream = open_stream(server.url());
  const std::size_t most = stream->facts()->message_bytes_max;
  const std::string around = R"({"type":"x","y":""})";
  const auto of_size = [&](std::size_t size) {
    return R"({"type":"x","y":")" + std::string(size - around.size(), 'y') + "\"}";
  };
  const auto refused = publish(*stream, batch_of(Offset(0), {of_size(20'000)}), 0);
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::batch_too_large);
  const std::size_t half = most / 2 - stream->facts()->event_overhead_bytes;
  REQUIRE(publish(*stream, batch_of(Offset(0), {of_size(half), of_size(half)}), 0));
  REQUIRE(publish(*stream, batch_of(Offset(2), {of_size(most)}), 1));
  CHECK(read(*stream, 0, 2)[1].batch->events[0].payload.size() == most);
}

TEST_CASE("NatsStream: a full stream says so and keeps what it has", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url("/vibes?max_bytes=4K"));
  std::uint64_t taken = 0;
  for (;;) {
    const auto sequence = publish(*stream, batch_of(Offset(taken), {payload_of(taken)}), taken);
    if (!sequence) {
      CAPTURE(sequence.error().message());
      CHECK(sequence.error().code == Errc::storage_full);
      break;
    }
    REQUIRE(++taken < 4'096);
  }
  CHECK(taken > 1);
  CHECK(read(*stream, 0, taken).front().sequence == 1);
}

TEST_CASE("NatsStream: messages of strangers are reported in their place", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  Stranger stranger(server);
  stranger.publish("vibes.events.s", "hello");
  REQUIRE(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 1));
  stranger.publish("vibes.events.a.b", R"({"type":"x"})");
  const auto messages = read(*stream, 0, 3);
  CHECK(!messages[0].batch);
  CHECK(messages[0].foreign == "vibes.events.s: it has none of vibes' headers");
  CHECK(messages[1].batch);
  CHECK(!messages[2].batch);
  CHECK(messages[2].sequence == 3);
}

TEST_CASE("NatsStream: messages that are gone are left out", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  for (std::uint64_t i = 0; i < 6; ++i) {
    REQUIRE(publish(*stream, batch_of(Offset(i), {payload_of(i)}), i));
  }
  Stranger stranger(server);
  stranger.remove_message(1);
  stranger.remove_message(4);
  const auto messages = read(*stream, 0, 4);
  CHECK(messages[0].sequence == 2);
  CHECK(messages[1].sequence == 3);
  CHECK(messages[2].sequence == 5);
  CHECK(messages[3].sequence == 6);
  CHECK(stream->facts()->first_sequence == 2);
}

TEST_CASE("NatsStream: who waits is woken by a message and by a stop", "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  Result<std::vector<remote::RemoteMessage>> messages = fail(Errc::failed, "not called");
  SECTION("message") {
    std::thread reader([&] { messages = stream->follow(0, test::kPatience, {}); });
    CHECK(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 0));
    reader.join();
    REQUIRE(messages);
    CHECK(messages->size() == 1);
  }
  SECTION("stop") {
    std::jthread reader([&](const std::stop_token& stop) {
      messages = stream->follow(0, std::chrono::hours(1), stop);
    });
    reader.request_stop();
    reader.join();
    REQUIRE(messages);
    CHECK(messages->empty());
  }
  SECTION("close") {
    std::thread reader([&] { messages = stream->follow(0, std::chrono::hours(1), {}); });
    stream->close();
    reader.join();
    REQUIRE(!messages);
    CHECK(messages.error().code == Errc::closed);
  }
}

TEST_CASE("NatsStream: a stream that was removed and made anew is another one",
          "[eventlog][nats]") {
  const NatsServer server;
  auto stream = open_stream(server.url());
  REQUIRE(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 0));
  REQUIRE(read(*stream, 0, 1).size() == 1);
  const Uuid log_id = stream->facts()->log_id;
  CHECK(open_stream(server.url())->facts()->log_id == log_id);
  Stranger(server).remove_stream();
  auto again = open_stream(server.url());
  CHECK(again->facts()->log_id != log_id);
  CHECK(again->facts()->last_sequence == 0);
  const auto followed = again->follow(1, test::kPatience, {});
  REQUIRE(!followed);
  CHECK(followed.error().code == Errc::corrupt);
}

TEST_CASE("NatsStream: other settings are named", "[eventlog][nats]") {
  const NatsServer server;
  open_stream(server.url("/vibes"));
  const auto other = stream_at(server.url("/vibes?subject=x.y"))->open(test::kPatience);
  REQUIRE(!other);
  CHECK(other.error().code == Errc::other_settings);
  CHECK(other.error().context == "stream vibes: subjects vibes.events.>, asked for x.y.>");
  const auto more = stream_at(server.url("/vibes?replicas=3"))->open(test::kPatience);
  REQUIRE(!more);
  CHECK(more.error().context == "stream vibes: replicas 1, asked for 3");
  const auto cannot = stream_at(server.url("/new?replicas=3"))->open(test::kPatience);
  REQUIRE(!cannot);
  CHECK(cannot.error().code == Errc::other_settings);
}

TEST_CASE("NatsStream: the wrong password is told from no server at all", "[eventlog][nats]") {
  NatsServer server(test::NatsServerConfig{"me", "right", 0, {}});
  const std::string at = "127.0.0.1:" + std::to_string(server.port());
  open_stream("nats://me:right@" + at);
  for (const std::string who : {"me:wrong@", "token@", ""}) {
    const auto refused = stream_at("nats://" + who + at)->open(test::kPatience);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::unauthorized);
    CHECK(refused.error().context == at + ": Authorization Violation");
  }
  const auto no_file = stream_at("nats://" + at + "/vibes?creds=/nowhere")->open(test::kPatience);
  REQUIRE(!no_file);
  CHECK(no_file.error().code == Errc::unauthorized);
  server.stop();
  const auto nobody = stream_at("nats://me:right@" + at)->open(std::chrono::milliseconds(300));
  REQUIRE(!nobody);
  CHECK(nobody.error().code == Errc::unreachable);
  CHECK(nobody.error().context.find(at) != std::string::npos);
}

TEST_CASE("NatsStream: a server without JetStream is told from none", "[eventlog][nats]") {
  test::NatsServerConfig config;
  config.jetstream = test::NatsServerConfig::JetStream::off;
  const NatsServer server(config);
  const auto opened = stream_at(server.url())->open(std::chrono::milliseconds(300));
  REQUIRE(!opened);
  CHECK(opened.error().code == Errc::unreachable);
  CHECK(opened.error().context.find("JetStream does not answer") != std::string::npos);
}

TEST_CASE("NatsStream: a token lets in", "[eventlog][nats]") {
  test::NatsServerConfig config;
  config.more = "authorization { token: s3cret }";
  const NatsServer server(config);
  const std::string at = "127.0.0.1:" + std::to_string(server.port());
  CHECK(open_stream("nats://s3cret@" + at)->is_connected());
  const auto refused = stream_at("nats://other@" + at)->open(test::kPatience);
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::unauthorized);
}

TEST_CASE("NatsStream: a user who may not use JetStream is told so", "[eventlog][nats]") {
  test::NatsServerConfig config;
  config.more =
      "authorization { users: [ { user: me, password: x, permissions: { publish: y } } ] }";
  const NatsServer server(config);
  const auto opened =
      stream_at("nats://me:x@127.0.0.1:" + std::to_string(server.port()))->open(test::kPatience);
  REQUIRE(!opened);
  CAPTURE(opened.error().message());
  CHECK(opened.error().code == Errc::unauthorized);
}

TEST_CASE("NatsStream: TLS, with a certificate that is checked", "[eventlog][nats]") {
  const test::TempDir directory;
  const std::string cert = (directory.path() / "cert.pem").string();
  const std::string key = (directory.path() / "key.pem").string();
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
      "-nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
      "-keyout " +
      key + " -out " + cert + " 2>/dev/null";
  REQUIRE(std::system(make.c_str()) == 0);
  test::NatsServerConfig config;
  config.more = "tls { cert_file: \"" + cert + "\", key_file: \"" + key + "\" }";
  const NatsServer server(config);
  const std::string at = "localhost:" + std::to_string(server.port()) + "/vibes";
  auto stream = open_stream("tls://" + at + "?ca=" + cert);
  REQUIRE(publish(*stream, batch_of(Offset(0), {payload_of(0)}), 0));
  CHECK(stream->url() == "tls://" + at);
  for (const std::string& bad :
       {"tls://" + at, "tls://127.0.0.1:" + std::to_string(server.port()) + "/vibes?ca=" + cert}) {
    const auto opened = stream_at(bad)->open(std::chrono::milliseconds(300));
    REQUIRE(!opened);
    CAPTURE(opened.error().message());
    CHECK(opened.error().code == Errc::unreachable);
  }
  const NatsServer open_server;
  const auto plain = stream_at("tls://localhost:" + std::to_string(open_server.port()))
                         ->open(std::chrono::milliseconds(300));
  REQUIRE(!plain);
}

TEST_CASE("NatsStream: after close() nothing is taken and nothing is answered",
          "[eventlog][nats]") {
  const NatsServer server;
  Answers answers;
  auto stream = open_stream(server.url());
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(stream->publish(batch_of(Offset(i), {payload_of(i)}), i, answers.expect(i)));
  }
  stream->close();
  CHECK(answers.count() == 100);
  for (const auto& [number, outcome] : answers.wait_for(100)) {
    CHECK((outcome || outcome.error().code == Errc::indeterminate));
  }
  CHECK(!stream->is_connected());
  CHECK(!stream->publish(batch_of(Offset(0), {payload_of(0)}), 0, answers.expect(1'000)));
  CHECK(!stream->follow(0, test::kPatience, {}));
  CHECK(!stream->facts());
  CHECK(!stream->groups().load());
  stream->close();
  CHECK(answers.count() == 100);
}
