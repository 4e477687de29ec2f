// SPDX-License-Identifier: MIT
// The firehose as the Rust project's clients use it: no `from`.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "firehose_fixture.hpp"

using namespace vibes;
using namespace vibes::test;

namespace {

json set_filters(json types = nullptr, json session = nullptr) {
  return {{"type", "set_filters"}, {"types", std::move(types)}, {"session", std::move(session)}};
}

json fetch_older(const json& before, std::size_t limit) {
  return {{"type", "fetch_older"}, {"before_event_id", before}, {"limit", limit}};
}

}  // namespace

TEST_CASE("Firehose: nothing historical is sent until asked, live events flow", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(50, "note", "s");
  FirehoseClient client(server);
  client.pass_first_moment();
  CHECK(client.take().empty());
  server.events.append_many(3, "note", "s");
  const auto messages = client.take();
  CHECK(offsets_of(messages) == range(50, 53));
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].at("type") == "event");
  CHECK(messages[0].at("event").at("n") == 50);
  CHECK(messages[0].at("event_id").get<std::string>().size() == 36);
  CHECK(messages[0].at("time").get<std::string>().size() == 27);
}

TEST_CASE("Firehose: the first set_filters answers the newest 100, then live goes on",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(150, "note", "s");
  FirehoseClient client(server);
  server.events.append_many(5, "note", "s");  // between the upgrade and the first message
  client.wake();
  client.send({{"type", "set_filters"}});
  const auto messages = client.take();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("type") == "events_batch");
  CHECK(offsets_of(messages) == range(55, 155));
  CHECK(messages[0].at("has_more") == true);
  CHECK(messages[0].at("oldest_event_id") == messages[0].at("events")[0].at("event_id"));
  server.events.append_many(2, "note", "s");
  CHECK(offsets_of(client.take()) == range(155, 157));
}

TEST_CASE("Firehose: events wait a moment for the first message, no longer", "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  server.events.append_many(3, "note", "s");
  CHECK(client.take().empty());
  REQUIRE(client.connection.timer() == limits::kFirstMessageWithin);
  client.pass_first_moment();
  CHECK(offsets_of(client.take()) == range(0, 3));
  CHECK_FALSE(client.connection.timer());
}

TEST_CASE("Firehose: filters apply before the page's limit, and has_more speaks of matches",
          "[net][firehose]") {
  FirehoseServer server;
  for (int i = 0; i < 120; ++i) {
    server.events.append_many(1, "session_state_changed", "a");
    server.events.append_many(9, "hook", "b");
  }
  FirehoseClient client(server);
  client.send(set_filters({"session"}));
  auto messages = client.take();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("events").size() == 100);
  CHECK(messages[0].at("has_more") == true);
  CHECK(offsets_of(messages).front() == 200);
  client.send(fetch_older(messages[0].at("oldest_event_id"), 100));
  messages = client.take();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("events").size() == 20);
  // Nothing that matches is left, although 9 events of another type would be.
  CHECK(messages[0].at("has_more") == false);

  client.send(set_filters(nullptr, "b"));
  messages = client.take();
  CHECK(messages.at(0).at("events").size() == 100);
  CHECK(messages.at(0).at("events")[0].at("event").at("session_id") == "b");
  client.send(set_filters({"claude"}));
  messages = client.take();
  CHECK(messages.at(0).at("events").empty());
  CHECK(messages.at(0).at("oldest_event_id").is_null());
  CHECK(messages.at(0).at("has_more") == false);
}

TEST_CASE("Firehose: set_filters replaces both filters", "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server, {{"types", "hook"}, {"session", "a"}});
  client.pass_first_moment();
  server.events.append_many(1, "hook", "a");
  server.events.append_many(1, "hook", "b");
  server.events.append_many(1, "note", "a");
  CHECK(offsets_of(client.take()) == range(0, 1));
  client.send({{"type", "set_filters"}, {"session", "b"}});  // types missing: cleared
  CHECK(offsets_of(client.take()) == range(1, 2));
  server.events.append_many(1, "note", "b");
  server.events.append_many(1, "note", "a");
  CHECK(offsets_of(client.take()) == range(3, 4));
}

namespace {

/// The list that the Rust project's web UI keeps: a page that answers set_filters replaces it, an
/// older page goes in front, a live event goes behind.
class UiModel {
 public:
  explicit UiModel(FirehoseServer& server) : client_(server) {}

  void set_filters(json message) {
    hooks_only_ = !message.at("types").is_null();
    asked_.push_back("view");
    client_.send(message);
  }
  /// Like the UI only with the oldest id it has and one at a time; or without an id, any number.
  void fetch_older(bool with_id) {
    if (asked_.empty() && !(with_id && oldest_id_.is_null())) {
      asked_.push_back("older");
      client_.send(::fetch_older(with_id ? oldest_id_ : json(), 1 + random_() % 60));
    }
  }
  void take(const std::vector<json>& messages) {
    for (const json& message : messages) {
      const auto offsets = offsets_of({message});
      if (message.at("type") == "event") {
        shown_.push_back(offsets.at(0));
        continue;
      }
      REQUIRE(message.at("type") == "events_batch");
      REQUIRE_FALSE(asked_.empty());
      if (asked_.front() == "view") {
        shown_ = offsets;
      } else {
        shown_.insert(shown_.begin(), offsets.begin(), offsets.end());
      }
      asked_.erase(asked_.begin());
      has_more_ = message.at("has_more");
      oldest_id_ = message.at("oldest_event_id");
    }
  }
  /// Pages down to the very first event.
  void take_everything() {
    take(client_.take());
    while (has_more_) {
      fetch_older(true);
      take(client_.take());
    }
  }

  [[nodiscard]] FirehoseClient& client() { return client_; }
  [[nodiscard]] const std::vector<std::uint64_t>& shown() const { return shown_; }
  [[nodiscard]] bool hooks_only() const { return hooks_only_; }

 private:
  FirehoseClient client_;
  std::mt19937 random_{1};
  std::vector<std::string> asked_;
  std::vector<std::uint64_t> shown_;
  json oldest_id_;
  bool has_more_ = false;
  bool hooks_only_ = false;
};

}  // namespace

TEST_CASE("Firehose: a view shows every matching event once and in order, whatever is asked when",
          "[net][firehose]") {
  const unsigned seed = GENERATE(Catch::Generators::range(0U, 100U));
  CAPTURE(seed);
  std::mt19937 random(seed);
  FirehoseServer server;
  std::vector<bool> is_hook;
  const auto append = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      is_hook.push_back(random() % 3 == 0);
      server.events.append_many(1, is_hook.back() ? "hook" : "note", "s");
    }
  };
  append(random() % 300);
  UiModel ui(server);
  ui.set_filters(set_filters());
  for (int step = 0; step < 60; ++step) {
    switch (random() % 6) {
      case 0:
        append(random() % 40);
        break;
      case 1:
        ui.client().wake();
        break;
      case 2:
        ui.client().writable();
        ui.take(ui.client().taken());
        break;
      case 3:
        ui.take(ui.client().take());
        break;
      case 4:
        if (random() % 3 == 0) {
          ui.set_filters(random() % 2 == 0 ? set_filters({"hook"}) : set_filters());
        }
        break;
      default:
        ui.fetch_older(random() % 2 == 0);
    }
  }
  ui.take_everything();

  std::vector<std::uint64_t> expected;
  for (std::uint64_t offset = 0; offset < is_hook.size(); ++offset) {
    if (is_hook[offset] || !ui.hooks_only()) {
      expected.push_back(offset);
    }
  }
  CHECK(ui.shown() == expected);
}

TEST_CASE("Firehose: a client that lags when it sets filters misses nothing in between",
          "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  client.pass_first_moment();
  server.events.append_many(500, "note", "s");
  client.wake();
  client.send(set_filters());
  const auto messages = client.take();
  // More than a page was on its way: the page ends where the client stood, and the rest follows.
  REQUIRE(of_type(messages, "events_batch").size() == 1);
  CHECK(offsets_of(messages) == range(0, 500));
}

TEST_CASE("Firehose: fetch_older answers what lies before the id, oldest first",
          "[net][firehose]") {
  FirehoseServer server;
  const auto receipt = server.events.append("{\"type\":\"a\"}\n{\"type\":\"b\"}\n{\"type\":\"c\"}");
  FirehoseClient client(server);
  client.send(fetch_older(to_string(receipt.places[2].event_id), 10));
  auto messages = client.take();
  CHECK(offsets_of(messages) == range(0, 2));
  client.send(fetch_older(to_string(receipt.places[2].event_id), 1));
  messages = client.take();
  CHECK(offsets_of(messages) == range(1, 2));
  CHECK(messages.at(0).at("has_more") == true);
  client.send(fetch_older(to_string(receipt.places[0].event_id), 1));
  messages = client.take();
  CHECK(messages.at(0).at("events").empty());
  CHECK(messages.at(0).at("has_more") == false);
}

TEST_CASE("Firehose: fetch_older without an id gives the newest, then those before",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(250, "note", "s");
  FirehoseClient client(server);
  client.send({{"type", "fetch_older"}});
  CHECK(offsets_of(client.take()) == range(150, 250));
  client.send({{"type", "fetch_older"}, {"limit", 1'000}});
  const auto messages = client.take();
  CHECK(offsets_of(messages) == range(0, 150));
  CHECK(messages.at(0).at("has_more") == false);
}

TEST_CASE("Firehose: an unknown id is an error, not an empty page", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(5, "note", "s");
  FirehoseClient client(server);
  client.send(fetch_older("00000000-0000-7000-8000-000000000000", 10));
  const auto messages = client.take();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("type") == "error");
  CHECK(messages[0].at("code") == "unknown_event");
  CHECK_FALSE(client.connection.close_code());
}

TEST_CASE("Firehose: a page is bounded in bytes, and has at least one event", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(10, "note", "s", 400'000);
  FirehoseClient client(server);
  client.send(set_filters());
  auto messages = client.take();
  CHECK(offsets_of(messages) == range(8, 10));
  CHECK(messages.at(0).at("has_more") == true);
  client.send(fetch_older(messages.at(0).at("oldest_event_id"), 10));
  messages = client.take();
  CHECK(offsets_of(messages) == range(6, 8));
}

TEST_CASE("Firehose: a page under a rare filter is read in slices", "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(1, "hook", "s");
  server.events.append_many(2'000, "note", "s", 3'000);  // 6 MB, 1 MiB a slice
  FirehoseClient client(server);
  client.send(set_filters({"hook"}));
  int turns = 0;
  std::vector<json> messages;
  while (messages.empty() && turns < 100) {
    REQUIRE(client.writable());
    ++turns;
    messages = client.taken();
  }
  CHECK(turns >= 5);
  CHECK(offsets_of(messages) == range(0, 1));
}

TEST_CASE("Firehose: live events of an old view flow while an older page is searched",
          "[net][firehose]") {
  FirehoseServer server;
  server.events.append_many(1, "session_removed", "s");
  server.events.append_many(2'000, "note", "s", 3'000);
  FirehoseClient client(server, {{"types", "session,hook"}});
  client.pass_first_moment();
  client.send({{"type", "fetch_older"}});
  REQUIRE(client.writable());
  server.events.append_many(1, "hook", "s");
  client.wake();
  const auto messages = client.take();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].at("type") == "event");
  CHECK(messages[1].at("type") == "events_batch");
  CHECK(offsets_of({messages[1]}) == range(0, 1));
}

TEST_CASE("Firehose: bad messages are answered by an error that says what is wrong",
          "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  const std::vector<std::string> bad{
      "",
      "nonsense",
      "[]",
      "42",
      "{}",
      R"({"type":7})",
      R"({"type":"subscribe"})",
      R"({"type":"set_filters","types":"session"})",
      R"({"type":"set_filters","types":[1]})",
      R"({"type":"set_filters","session":5})",
      R"({"type":"fetch_older","before_event_id":"x"})",
      R"({"type":"fetch_older","limit":0})",
      R"({"type":"fetch_older","limit":-1})",
      R"({"type":"fetch_older","limit":1.5})",
      R"({"type":"commit"})",
      R"({"type":"reject","offset":1,"reason":1})",
      R"({"type":"reject","offset":1,"attempts":"2"})",
  };
  for (const std::string& text : bad) {
    CAPTURE(text);
    client.send_text(text);
    const auto messages = client.take();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].at("type") == "error");
    CHECK(messages[0].at("code") == "bad_message");
    CHECK_FALSE(messages[0].at("message").get<std::string>().empty());
  }
  client.send_text(R"({"type":"set_filters","session":")" + std::string(300, 's') + "\"}");
  CHECK(client.take().at(0).at("code") == "bad_filter");
  client.send_text(R"({"type":"commit","offset":1})");
  CHECK(client.take().at(0).at("code") == "not_a_group");
  client.send_text(R"({"type":"reject","offset":1})");
  CHECK(client.take().at(0).at("code") == "not_a_group");
  CHECK_FALSE(client.connection.close_code());
}

TEST_CASE("Firehose: a client that asks without reading is not read any more", "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  SECTION("pages") {
    for (std::size_t i = 0; i < limits::kPageRequestsQueued; ++i) {
      CHECK_FALSE(client.connection.paused());
      client.send(set_filters());
    }
  }
  SECTION("errors") {
    for (int i = 0; !client.connection.paused() && i < 10'000; ++i) {
      client.send_text("nonsense");
    }
  }
  CHECK(client.connection.paused());
  client.take();
  CHECK_FALSE(client.connection.paused());
}

TEST_CASE("Firehose: a client that takes nothing is not written to, and loses nothing",
          "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  client.pass_first_moment();
  FirehoseClient other(server);
  other.pass_first_moment();
  std::size_t other_got = 0;
  for (int i = 0; i < 40; ++i) {
    server.events.append_many(100, "note", "s", 3'000);
    client.wake();
    other_got += offsets_of(other.take()).size();
  }
  REQUIRE(server.ring.ring_first() > Offset(0));  // it will have to read the log
  CHECK(other_got == 4'000);
  CHECK(offsets_of(client.take()) == range(0, 4'000));
  CHECK(client.connection.largest_write() <= limits::kWriteChunkBytes);
}

TEST_CASE("Firehose: a stopping server says that it goes away", "[net][firehose]") {
  FirehoseServer server;
  FirehoseClient client(server);
  client.endpoint().on_stop();
  CHECK(client.connection.close_code() == net::CloseCode::going_away);
}

TEST_CASE("Firehose: without a client nothing is encoded", "[net][firehose]") {
  FirehoseServer server;
  {
    FirehoseClient client(server);
    CHECK(server.ring.clients() == 1);
    client.end();
  }
  CHECK(server.ring.clients() == 0);
}
