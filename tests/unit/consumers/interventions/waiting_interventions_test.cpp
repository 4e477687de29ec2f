// SPDX-License-Identifier: MIT
#include "consumers/interventions/waiting_interventions.hpp"

#include <chrono>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/intervention_delivery.hpp"
#include "unit/consumers/fixture.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

Uuid id(const std::string& name) { return name_uuid(kUrlNamespace, name); }

/// A log without one: events are numbered and have the clock's time.
struct Story {
  Result<void> tell(const json& payload, const Uuid& event_id) {
    const std::string text = payload.dump();
    const std::string type = payload.at("type");
    const std::string session = payload.value("session_id", "");
    return waiting.fold({step(), event_id, clock.now(), type, session, text});
  }
  /// Its id is that of its message.
  void intervene(const std::string& session, const std::string& message) {
    REQUIRE(tell({{"type", "intervention"}, {"session_id", session}, {"message", message}},
                 id(message)));
  }
  void deliver(const std::string& session, const std::string& message, const std::string& hook) {
    const auto event = event::make_intervention_delivered({session, id(message), id(hook)});
    REQUIRE(tell(json::parse(event.payload), *event.event_id));
  }
  void end(const std::string& session) {
    REQUIRE(tell({{"type", "session_removed"}, {"session_id", session}, {"reason", "killed"}},
                 id("end")));
  }
  /// The context of what the hook is handed; empty: nothing.
  std::string ask(const std::string& session, const std::string& hook) {
    const auto handout = waiting.hand_out(session, id(hook));
    return handout ? handout->context : std::string();
  }
  Offset step() {
    ++offset;
    return offset - 1;
  }
  void pass(std::chrono::microseconds time) { clock.now_us += time.count(); }

  test::ManualClock clock;
  WaitingInterventions waiting{clock};
  Offset offset;
};

TEST_CASE("WaitingInterventions: a session's hook is handed what waits, in order",
          "[interventions]") {
  Story story;
  story.intervene("s", "one");
  story.intervene("other", "not mine");
  story.intervene("s", "two");
  const auto handout = story.waiting.hand_out("s", id("h"));
  REQUIRE(handout);
  CHECK(handout->context == "one\n\ntwo");
  CHECK(handout->interventions == std::vector<Uuid>{id("one"), id("two")});
  CHECK(story.ask("nobody", "h2").empty());
}

TEST_CASE("WaitingInterventions: what is held for one hook is no other's, and again that one's",
          "[interventions]") {
  Story story;
  story.intervene("s", "one");
  CHECK(story.ask("s", "h1") == "one");
  CHECK(story.ask("s", "h2").empty());
  story.intervene("s", "two");
  CHECK(story.ask("s", "h1") == "one");  // the same answer, whatever has come since
  CHECK(story.ask("s", "h2") == "two");

  SECTION("until it has been held long enough") {
    story.pass(limits::kInterventionHeldFor);
    CHECK(story.ask("s", "h3") == "one\n\ntwo");
    CHECK(story.ask("s", "h1").empty());
  }
  SECTION("or was delivered, and then for good") {
    story.deliver("s", "one", "h1");
    CHECK(story.ask("s", "h1") == "one");
    CHECK(story.ask("s", "h3").empty());
    story.pass(limits::kInterventionHeldFor + std::chrono::seconds(1));
    CHECK(story.ask("s", "h1") == "two");
    CHECK(story.ask("s", "h3").empty());
  }
}

TEST_CASE("WaitingInterventions: a delivery counts whoever held it", "[interventions]") {
  Story story;
  story.intervene("s", "one");
  CHECK(story.ask("s", "h1") == "one");
  story.deliver("s", "one", "h0");
  CHECK(story.ask("s", "h1").empty());
  story.deliver("s", "one", "h1");  // the first is the one
  CHECK(story.ask("s", "h1").empty());
  CHECK(story.ask("s", "h0") == "one");
  story.deliver("s", "unknown", "h1");
  story.deliver("unknown", "one", "h1");
}

TEST_CASE("WaitingInterventions: what waits ends with its session", "[interventions]") {
  Story story;
  story.intervene("s", "one");
  SECTION("that is removed") { story.end("s"); }
  SECTION("whose agent says so") {
    REQUIRE(story.tell(
        {{"type", "hook"}, {"session_id", "s"}, {"event", {{"type", "session_end"}}}}, id("e")));
  }
  CHECK(story.ask("s", "h").empty());
}

TEST_CASE("WaitingInterventions: what is no end of its session is none", "[interventions]") {
  Story story;
  story.intervene("s", "one");
  story.end("other");
  REQUIRE(
      story.tell({{"type", "hook"}, {"session_id", "s"}, {"event", {{"type", "stop"}}}}, id("e1")));
  REQUIRE(story.tell({{"type", "hook"},
                      {"session_id", "s"},
                      {"event", {{"type", "pre_tool_use"}, {"tool_input", "session_end"}}}},
                     id("e2")));
  REQUIRE(story.tell({{"type", "note"}, {"session_id", "s"}, {"event", "session_end"}}, id("e3")));
  CHECK(story.ask("s", "h") == "one");
}

TEST_CASE("WaitingInterventions: what has waited too long is dropped", "[interventions]") {
  Story story;
  story.intervene("s", "old");
  story.pass(std::chrono::hours(1));
  story.intervene("s", "young");
  story.pass(limits::kInterventionMaxAge - std::chrono::minutes(30));
  CHECK(story.ask("s", "h") == "young");
}

TEST_CASE("WaitingInterventions: it is bounded", "[interventions]") {
  Story story;
  SECTION("in messages: cut between characters") {
    story.intervene("s", "x" + std::string(1, '\0') + std::string(3'000, 'y'));
    CHECK(story.ask("s", "h").size() == limits::kInterventionBytesMax);
    std::string wide = "x";
    while (wide.size() < 3'000) {
      wide += "ü";
    }
    story.intervene("t", wide);
    CHECK(story.ask("t", "h") == wide.substr(0, limits::kInterventionBytesMax - 1));
  }
  SECTION("in interventions of a session: the oldest go") {
    for (const char* message : {"1", "2", "3", "4", "5", "6"}) {
      story.intervene("s", message);
    }
    CHECK(story.ask("s", "h") == "3\n\n4\n\n5\n\n6");
  }
  SECTION("in sessions: that with the oldest goes") {
    WaitingInterventions few(story.clock, 2);
    const std::string text = R"({"message":"m"})";
    for (const char* session : {"b", "a", "b", "c"}) {
      story.pass(std::chrono::seconds(1));
      REQUIRE(few.fold({story.step(), id(session + to_string(id(session))), story.clock.now(),
                        "intervention", session, text}));
    }
    CHECK_FALSE(few.hand_out("a", id("h")));
    CHECK(few.hand_out("b", id("h")));
    CHECK(few.hand_out("c", id("h")));
  }
}

TEST_CASE("WaitingInterventions: what is handed over again changes nothing", "[interventions]") {
  Story story;
  story.intervene("s", "one");
  story.deliver("s", "one", "h");
  story.end("s");
  const std::string before = story.waiting.save();
  story.offset = Offset();
  story.intervene("s", "one");
  CHECK(story.waiting.next() == Offset(3));
  CHECK(story.waiting.save() == before);
  CHECK_FALSE(story.waiting.has_changed());
  CHECK(story.ask("s", "h2").empty());
}

TEST_CASE("WaitingInterventions: an event that is not what it says is an error and no more",
          "[interventions]") {
  Story story;
  story.intervene("s", "one");
  const auto bad = std::make_error_code(std::errc::bad_message);
  const std::vector<json> events = {
      {{"type", "intervention"}, {"session_id", "s"}},
      {{"type", "intervention"}, {"session_id", "s"}, {"message", 1}},
      {{"type", "intervention_delivered"}, {"session_id", "s"}, {"intervention_id", "x"}},
      {{"type", "intervention_delivered"},
       {"session_id", "s"},
       {"intervention_id", to_string(id("one"))},
       {"hook_event_id", 7}}};
  for (const json& event : events) {
    INFO(event.dump());
    const auto told = story.tell(event, id("bad"));
    REQUIRE_FALSE(told);
    CHECK(told.error().code == bad);
  }
  CHECK_FALSE(story.waiting.fold({story.offset, id("x"), {}, "intervention", "s", "no json"}));
  CHECK(story.ask("s", "h") == "one");
}

TEST_CASE("WaitingInterventions: a saved state goes on where it stopped", "[interventions]") {
  Story story;
  story.intervene("s", "one \"ü\"\n");
  story.intervene("s", "two");
  story.intervene("t", "three");
  story.deliver("s", "two", "h2");
  CHECK(story.waiting.has_changed());
  const std::string saved = story.waiting.save();
  CHECK_FALSE(story.waiting.has_changed());

  WaitingInterventions loaded(story.clock);
  REQUIRE(loaded.load(saved));
  CHECK_FALSE(loaded.has_changed());
  CHECK(loaded.next() == Offset(4));
  CHECK(loaded.save() == saved);
  CHECK(loaded.hand_out("s", id("h2"))->context == "two");
  CHECK(loaded.hand_out("s", id("h1"))->context == "one \"ü\"\n");
  CHECK(loaded.hand_out("t", id("h1"))->context == "three");
}

TEST_CASE("WaitingInterventions: a state that is damaged is refused and changes nothing",
          "[interventions]") {
  Story story;
  story.intervene("s", "one");
  const std::string saved = story.waiting.save();
  for (std::size_t length = 0; length < saved.size(); ++length) {
    CHECK_FALSE(story.waiting.load(saved.substr(0, length)));
  }
  for (const char* bad : {"[]", R"({"next":-1,"sessions":{}})", R"({"next":1,"sessions":[]})",
                          R"({"next":1,"sessions":{"s":[]}})", R"({"next":1,"sessions":{"s":[1]}})",
                          R"({"next":1,"sessions":{"s":1}})",
                          R"({"next":1,"sessions":{"s":[{"id":"x","at":1,"message":"m"}]}})"}) {
    INFO(bad);
    CHECK_FALSE(story.waiting.load(bad));
  }
  CHECK(story.ask("s", "h") == "one");
}

}  // namespace
}  // namespace vibes::consumers
