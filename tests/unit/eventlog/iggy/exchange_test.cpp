// SPDX-License-Identifier: MIT
// Conversations with a server that says what real ones said.
#include <atomic>
#include <chrono>
#include <future>

#include <fmt/format.h>

#include "contract/harness.hpp"
#include "event/base64.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/codec.hpp"
#include "eventlog/iggy/iggy_stream.hpp"
#include "unit/eventlog/iggy/recorded.hpp"
#include "unit/eventlog/iggy/replay_server.hpp"

namespace vibes::test {
namespace {

using namespace std::chrono_literals;
using eventlog::Errc;
using eventlog::iggy::IggyStream;
using eventlog::remote::RemoteBatch;
using Answer = ReplayServer::Answer;
using Request = ReplayServer::Request;

/// What may be said before the usual answers; set by the test while the server's thread asks.
class FirstAnswer {
 public:
  using Function = std::function<std::optional<Answer>(const Request&)>;

  FirstAnswer& operator=(Function function) {
    const MutexLock lock(mutex_);
    function_ = std::make_shared<Function>(std::move(function));
    return *this;
  }
  std::optional<Answer> operator()(const Request& request) {
    std::shared_ptr<Function> function;
    {
      const MutexLock lock(mutex_);
      function = function_;
    }
    return function ? (*function)(request) : std::nullopt;
  }

 private:
  Mutex mutex_;
  std::shared_ptr<Function> function_ VIBES_GUARDED_BY(mutex_);
};

/// A server of one version, as far as answers of it were recorded. What a test wants different it
/// says in `first`.
class Conversation {
 public:
  explicit Conversation(std::string version)
      : version_(std::move(version)),
        server_([this](const Request& request) { return reply(request); }) {}

  /// Asked before everything else. Nothing: what the version says. An answer with
  /// status 0: the connection is closed.
  FirstAnswer first;

  [[nodiscard]] Answer recorded(std::string_view name) const {
    const auto answer = recorded::answer(version_, name);
    VIBES_ASSERT(answer.status != 0);
    return {.status = answer.status, .body = std::string(answer.body)};
  }
  [[nodiscard]] eventlog::iggy::IggyOptions options() const {
    eventlog::iggy::IggyOptions options;
    options.host = "127.0.0.1";
    options.port = server_.port();
    options.user = "iggy";
    options.password = "secret-iggy";
    options.stream = "s1";
    options.topic = "t1";
    return options;
  }
  /// "POST /streams", without what varies.
  [[nodiscard]] std::size_t count(std::string_view what) {
    const MutexLock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        log_, [what](const std::string& line) { return line.starts_with(what); }));
  }

 private:
  std::optional<Answer> reply(const Request& request) {
    {
      const MutexLock lock(mutex_);
      log_.push_back(request.method + " " + request.path);
    }
    auto answer = first(request);
    if (!answer) {
      answer = usual(request);
    }
    return answer->status == 0 ? std::nullopt : answer;
  }
  Answer usual(const Request& request) {
    const std::string& path = request.path;
    if (path == "/users/login") {
      return recorded("login");
    }
    if (request.token.empty()) {
      return recorded("no_token");
    }
    if (request.method == "POST" && path == "/streams") {
      return recorded("create_stream");
    }
    if (request.method == "POST" && path.ends_with("/topics")) {
      if (version_ == "0.9" && request.body.find("durability") != std::string::npos) {
        return recorded("durability_persisted");
      }
      made_ = true;
      return recorded("create_fsync");
    }
    if (path.find("/flush/") != std::string::npos) {
      return {.status = version_ == "0.8" ? 200 : 404, .body = ""};
    }
    if (path.find("/deferred?") != std::string::npos) {
      return {.status = 404, .body = ""};
    }
    if (request.method == "POST") {
      marked_ = true;
      return recorded("send_3");
    }
    if (path.find("/messages?") != std::string::npos) {
      return recorded(marked_ && path.find("value=0&count=1&") != std::string::npos &&
                              path.find("groups") == std::string::npos
                          ? "poll_first"
                          : "poll_empty");
    }
    return recorded(made_ ? "get_topic_fsync" : "missing_topic");
  }

  const std::string version_;
  Mutex mutex_;
  std::vector<std::string> log_ VIBES_GUARDED_BY(mutex_);
  bool made_ = false;
  bool marked_ = false;
  ReplayServer server_;
};

std::string any_version() { return GENERATE(std::string("0.8"), std::string("0.9")); }

void open(IggyStream& stream) {
  const auto opened = stream.open(10s);
  if (!opened) {
    FAIL(opened.error().message());
  }
}

RemoteBatch one_event(std::uint64_t at, std::size_t padding = 0) {
  const std::string more = ",\"x\":\"" + std::string(padding, 'x') + "\"";
  return {.first = Offset(at),
          .time = {1'795'617'216'000'000},
          .events = {with_id(new_event("n", {}, more), random_uuid())}};
}

Result<std::uint64_t> publish(IggyStream& stream, const RemoteBatch& batch, std::uint64_t last) {
  std::promise<Result<std::uint64_t>> answer;
  VIBES_TRY(stream.publish(batch, last, [&answer](auto sequence) { answer.set_value(sequence); }));
  return answer.get_future().get();
}

bool is_send(const Request& request) {
  return request.method == "POST" && request.path.ends_with("/t1/messages");
}

/// A poll's answer that holds one message.
Answer polled(std::uint64_t offset, const std::string& payload) {
  return {.status = 200,
          .body = fmt::format(
              R"({{"partition_id":0,"current_offset":{0},"count":1,"messages":[{{"header":)"
              R"({{"checksum":1,"id":238549331032520673767400260134667603132,"offset":{0},)"
              R"("timestamp":1,"origin_timestamp":2,"user_headers_length":0,"payload_length":1,)"
              R"("reserved":0}},"payload":"{1}","user_headers":[]}}]}})",
              offset, event::encode_base64(payload))};
}

}  // namespace

TEST_CASE("iggy exchange: open makes what is missing, as durable as the version allows", "[iggy]") {
  const std::string version = any_version();
  Conversation server(version);
  IggyStream stream(server.options());
  open(stream);
  CHECK(server.count("POST /users/login") == 1);
  CHECK(server.count("POST /streams/s1/topics") >= 1);
  const auto facts = stream.facts();
  REQUIRE(facts);
  const bool is_08 = version == "0.8";
  CHECK(facts->durability == (is_08 ? eventlog::Durability::os : eventlog::Durability::fsync));
  CHECK(facts->message_bytes_max > limits::kEventBytesMax + 256);
  CHECK(server.count("GET /streams/s1/topics/t1/messages/flush/0/true") == (is_08 ? 1U : 0U));
  CHECK(stream.is_connected());
  IggyStream again(server.options());
  open(again);
  CHECK(again.facts()->log_id == facts->log_id);
  auto claiming = server.options();
  claiming.fsync = eventlog::iggy::IggyOptions::Fsync::always;
  IggyStream claimed(claiming);
  open(claimed);
  CHECK(claimed.facts()->durability == eventlog::Durability::fsync);
}

TEST_CASE("iggy exchange: a token that is not taken any more is renewed, once a request",
          "[iggy]") {
  Conversation server(any_version());
  std::string valid = "first";
  std::uint64_t logins = 0;
  bool refuses_all = false;
  server.first = [&](const Request& request) -> std::optional<Answer> {
    if (request.path == "/users/login") {
      ++logins;
      return Answer{.status = 200,
                    .body = R"({"access_token":{"token":")" + valid + R"(","expiry":9999999999}})"};
    }
    return request.token == valid && !refuses_all ? std::nullopt
                                                  : std::optional(server.recorded("expired"));
  };
  IggyStream stream(server.options());
  open(stream);
  CHECK(logins == 1);
  valid = "second";
  CHECK(stream.facts());
  CHECK(logins == 2);
  CHECK(publish(stream, one_event(0), 0));
  CHECK(logins == 2);
  refuses_all = true;
  const auto facts = stream.facts();
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Errc::unauthorized);
  CHECK(logins == 3);
}

TEST_CASE("iggy exchange: a token is renewed before it expires", "[iggy]") {
  Conversation server(any_version());
  std::uint64_t logins = 0;
  server.first = [&](const Request& request) -> std::optional<Answer> {
    if (request.path != "/users/login") {
      return std::nullopt;
    }
    ++logins;
    const auto soon = system_clock().now().unix_us / 1'000'000 + 2;
    return Answer{
        .status = 200,
        .body = R"({"access_token":{"token":"t","expiry":)" + std::to_string(soon) + "}}"};
  };
  IggyStream stream(server.options());
  open(stream);
  const std::uint64_t before = logins;
  while (logins == before) {
    REQUIRE(stream.facts());
  }
}

TEST_CASE("iggy exchange: who is not let in is told so, and what is no Iggy server", "[iggy]") {
  const std::string version = any_version();
  Conversation server(version);
  const auto opened_as = [&server](Answer login) {
    server.first = [login = std::move(login)](const Request& request) {
      return request.path == "/users/login" ? std::optional(login) : std::nullopt;
    };
    return IggyStream(server.options()).open(200ms).error().code;
  };
  CHECK(opened_as(server.recorded("wrong_password")) == Errc::unauthorized);
  CHECK(opened_as({.status = 200, .body = "<html>"}) == Errc::other_settings);
  CHECK(opened_as({.status = 404, .body = "no such page"}) == Errc::other_settings);
  CHECK(opened_as({.status = 502, .body = "bad gateway"}) == Errc::unreachable);
  CHECK(opened_as({.status = 0, .body = ""}) == Errc::unreachable);
}

TEST_CASE("iggy exchange: while a server is busy sends wait, in their order", "[iggy]") {
  Conversation server(any_version());
  IggyStream stream(server.options());
  open(stream);
  std::atomic<int> refusals = 0;
  std::vector<std::string> taken;
  server.first = [&](const Request& request) -> std::optional<Answer> {
    if (!is_send(request)) {
      return std::nullopt;
    }
    if (refusals++ < 2) {
      return Answer{.status = 503, .body = "", .headers = "retry-after: 0\r\n"};
    }
    taken.push_back(request.body);
    return std::nullopt;
  };
  std::promise<void> done;
  std::atomic<int> left = 3;
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(stream.publish(one_event(i), i, [&](const auto& sequence) {
      CHECK(sequence);
      if (--left == 0) {
        done.set_value();
      }
    }));
  }
  done.get_future().get();
  std::string all;
  for (const std::string& body : taken) {
    all += body;
  }
  const auto place = [&all](std::uint64_t i) {
    // The beginning of a message in base64, as far as it does not depend on what follows.
    const std::string head = R"({"vibes":1,"offset":)" + std::to_string(i) + ",";
    return all.find(event::encode_base64(head).substr(0, head.size() / 3 * 4));
  };
  CHECK(place(0) < place(1));
  CHECK(place(1) < place(2));
  CHECK(place(2) != std::string::npos);
}

TEST_CASE("iggy exchange: what became of a send is told apart", "[iggy]") {
  const std::string version = any_version();
  Conversation server(version);
  IggyStream stream(server.options());
  open(stream);
  const auto sent_with = [&](Answer answer) {
    server.first = [answer = std::move(answer)](const Request& request) {
      return is_send(request) ? std::optional(answer) : std::nullopt;
    };
    return publish(stream, one_event(0), 7);
  };
  CHECK(sent_with({.status = 0, .body = ""}).error().code == Errc::indeterminate);
  CHECK(sent_with(server.recorded("too_large")).error().code == Errc::batch_too_large);
  CHECK(sent_with({.status = 500, .body = "?"}).error().code == Errc::indeterminate);
  CHECK(sent_with({.status = 503, .body = R"({"id":57,"reason":"not committed"})"}).error().code ==
        Errc::indeterminate);
  CHECK(sent_with(server.recorded("missing_topic")).error().code == Errc::unreachable);
  CHECK(sent_with({.status = 403, .body = ""}).error().code == Errc::unauthorized);
  const auto sequence = sent_with(server.recorded("send_3"));
  REQUIRE(sequence);
  CHECK(*sequence == (version == "0.8" ? 0U : 1U));  // it says nothing, and base_offset 0
}

TEST_CASE("iggy exchange: of several in a request the one that is too large is refused alone",
          "[iggy]") {
  Conversation server(any_version());
  IggyStream stream(server.options());
  open(stream);
  std::promise<void> may_go;
  auto gate = may_go.get_future().share();
  server.first = [&server, gate](const Request& request) -> std::optional<Answer> {
    if (!is_send(request)) {
      return std::nullopt;
    }
    gate.wait();
    return request.body.size() > 3'000 ? std::optional(server.recorded("too_large")) : std::nullopt;
  };
  std::vector<std::promise<Result<std::uint64_t>>> answers(4);
  for (std::uint64_t i = 0; i < answers.size(); ++i) {
    REQUIRE(stream.publish(one_event(i, i == 3 ? 3'000 : 600), i, [&answers, i](auto sequence) {
      answers[i].set_value(std::move(sequence));
    }));
  }
  may_go.set_value();
  for (std::uint64_t i = 0; i < 3; ++i) {
    CHECK(answers[i].get_future().get());
  }
  CHECK(answers[3].get_future().get().error().code == Errc::batch_too_large);
}

TEST_CASE("iggy exchange: a server with long polls is waited in, one without is asked again",
          "[iggy]") {
  const std::string version = any_version();
  Conversation server(version);
  const auto options = server.options();
  {
    IggyStream stream(options);
    open(stream);
    CHECK(stream.follow(0, 0ms, {})->empty());
    CHECK(stream.follow(0, 0ms, {})->empty());
    CHECK(server.count("GET /streams/s1/topics/t1/messages/deferred?") == 1);
  }
  IggyStream stream(options);
  open(stream);
  const RemoteBatch batch = one_event(0);
  server.first = [&](const Request& request) -> std::optional<Answer> {
    return request.path.find("/deferred?") != std::string::npos
               ? std::optional(polled(0, eventlog::iggy::encode(batch)))
               : std::nullopt;
  };
  for (int i = 0; i < 2; ++i) {
    const auto messages = stream.follow(0, 1s, {});
    if (!messages) {
      FAIL(messages.error().message());
    }
    REQUIRE(messages->size() == 1);
    CHECK(messages->at(0).sequence == 1);
    REQUIRE(messages->at(0).batch);
    CHECK(messages->at(0).batch->events[0].payload == batch.events[0].payload);
  }
  CHECK(server.count("GET /streams/s1/topics/t1/messages/deferred?") == 3);
}

TEST_CASE("iggy exchange: a message that the server cannot read any more is left out, alone",
          "[iggy]") {
  Conversation server("0.8");
  IggyStream stream(server.options());
  open(stream);
  // Recorded of 0.8.0, after it was killed while it saved a message: each page that holds 1.
  server.first = [](const Request& request) -> std::optional<Answer> {
    const auto at = request.path.find("/t1/messages?");
    if (at == std::string::npos) {
      return std::nullopt;
    }
    const auto number = [&request](const std::string& name) {
      return std::stoull(request.path.substr(request.path.find(name + "=") + name.size() + 1));
    };
    const auto first = number("value");
    if (first <= 1 && first + number("count") > 1) {
      return Answer{.status = 400,
                    .body = R"({"id":4100,"code":"invalid_offset","reason":"Invalid offset: 1",)"
                            R"("field":"offset"})"};
    }
    return polled(first, eventlog::iggy::encode(one_event(first)));
  };
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto messages = stream.follow(i, 5s, {});
    if (!messages) {
      FAIL(messages.error().message());
    }
    REQUIRE(messages->size() == 1);
    CHECK(messages->at(0).sequence == i + 1);
    CHECK(messages->at(0).batch.has_value() == (i != 1));
    CHECK((messages->at(0).foreign.find("cannot read it") != std::string::npos) == (i == 1));
  }
}

TEST_CASE("iggy exchange: a topic that is removed is an error, a server that is gone another",
          "[iggy]") {
  auto server = std::make_unique<Conversation>(any_version());
  IggyStream stream(server->options());
  open(stream);
  server->first = [&server](const Request& request) -> std::optional<Answer> {
    return request.method == "GET" ? std::optional(server->recorded("poll_missing")) : std::nullopt;
  };
  CHECK(stream.follow(0, 1s, {}).error().code == Errc::other_settings);
  CHECK(stream.facts().error().code == Errc::other_settings);
  server.reset();
  CHECK(stream.follow(0, 1s, {}).error().code == Errc::unreachable);
  CHECK_FALSE(stream.is_connected());
  CHECK(publish(stream, one_event(0), 0).error().code == Errc::unreachable);
  CHECK(stream.groups().load().error().code == Errc::unreachable);
}

TEST_CASE("iggy exchange: a change of the connection is told, and none after close", "[iggy]") {
  auto server = std::make_unique<Conversation>(any_version());
  IggyStream stream(server->options());
  std::atomic<int> changes = 0;
  stream.on_connection_changed([&changes] { ++changes; });
  open(stream);
  CHECK(changes == 1);
  server.reset();
  CHECK_FALSE(stream.facts());
  CHECK(changes == 2);
  stream.close();
}

}  // namespace vibes::test
