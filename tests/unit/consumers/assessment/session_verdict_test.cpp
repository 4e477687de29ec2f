// SPDX-License-Identifier: MIT
#include "consumers/assessment/session_verdict.hpp"

#include "fixture.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

const nlohmann::json kTurnEnd{{"type", "turn_complete"},
                              {"usage", {{"input_tokens", 1}, {"output_tokens", 1}}}};

void answer(Story& story, const std::string& text) {
  story.claude({{"type", "text_delta"}, {"text", text}});
  story.claude(kTurnEnd);
}

nlohmann::json removed(const std::string& session) {
  return {{"type", "session_removed"}, {"session_id", session}, {"reason", "session_finished"}};
}

TEST_CASE("verdict: a session whose last word is praise is a success", "[assessment]") {
  Story story;
  story.ask("fix the parser");
  answer(story, "I fixed it.");
  story.ask("Perfect, thanks");
  const auto heavy = only(story.tell(removed("s1")), "heavy");
  REQUIRE(heavy.size() == 1);
  CHECK(heavy[0].at("outcome") == "success");
  CHECK(heavy[0].at("trajectory") == "steady");
  CHECK(heavy[0].at("ended_by") == "session_removed");
  CHECK(heavy[0].at("messages") == 3);
}

TEST_CASE("verdict: a hook's session_end ends a session, stop does not", "[assessment]") {
  Story story;
  story.ask("fix the parser");
  answer(story, "I looked.");
  CHECK(only(story.hook({{"type", "stop"}}), "heavy").empty());
  const auto heavy = only(story.hook({{"type", "session_end"}, {"reason", "exit"}}), "heavy");
  REQUIRE(heavy.size() == 1);
  CHECK(heavy[0].at("outcome") == "partial");
  CHECK(story.tell(removed("s1")).empty());  // it has ended already
}

TEST_CASE("verdict: 15 minutes without an event abandon an unanswered prompt", "[assessment]") {
  Story story;
  story.ask("fix the parser");
  const nlohmann::json other{{"type", "client_connected"}, {"client_id", "c"}};
  CHECK(story.tell(other, 899).empty());
  const auto heavy = only(story.tell(other, 1), "heavy");
  REQUIRE(heavy.size() == 1);
  CHECK(heavy[0].at("ended_by") == "idle");
  CHECK(heavy[0].at("outcome") == "abandoned");
  CHECK(story.assessor.sessions() == 0);
}

TEST_CASE("verdict: any event of a session keeps it from being idle", "[assessment]") {
  Story story;
  story.ask("fix the parser");
  for (int i = 0; i < 10; ++i) {
    CHECK(story.claude({{"type", "thinking_delta"}, {"text", "hm"}}, 800).empty());
  }
  CHECK(story.assessor.sessions() == 1);
}

TEST_CASE("verdict: a session that ends in anger is a failure and worsening", "[assessment]") {
  Story story;
  for (int i = 0; i < 3; ++i) {
    story.ask(fmt::format("good morning {}", i));
    answer(story, "Good morning.");
  }
  for (int i = 0; i < 4; ++i) {
    story.ask(fmt::format("this is broken and wrong, an error, it failed {}", i));
  }
  const auto heavy = only(story.tell(removed("s1")), "heavy");
  REQUIRE(heavy.size() == 1);
  CHECK(heavy[0].at("outcome") == "failure");
  CHECK(heavy[0].at("trajectory") == "worsening");
}

TEST_CASE("verdict: the first ten sessions, then a fifth of them, always the same",
          "[assessment]") {
  const CircuitBreaker calm;
  const SessionRecord record;
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string session = fmt::format("session-{}", i);
    CHECK(is_sampled(session, 9, record, calm));
    sampled += is_sampled(session, 10, record, calm) ? 1 : 0;
  }
  CHECK(sampled > 1'800);
  CHECK(sampled < 2'200);
  CircuitBreaker opened;
  opened.openings = 1;
  SessionRecord frustrated;
  frustrated.frustration_peak = 0.7;
  for (int i = 0; i < 100; ++i) {
    const std::string session = fmt::format("session-{}", i);
    CHECK(is_sampled(session, 10, record, opened));
    CHECK(is_sampled(session, 10, frustrated, calm));
  }
}

}  // namespace
}  // namespace vibes::consumers::assessment
