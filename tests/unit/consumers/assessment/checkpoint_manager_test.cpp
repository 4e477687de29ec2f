// SPDX-License-Identifier: MIT
#include "consumers/assessment/checkpoint_manager.hpp"

#include "fixture.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Results = std::vector<nlohmann::json>;

std::string trigger_of(const Results& results) {
  const Results medium = only(results, "medium");
  return medium.empty() ? "" : medium.front().at("trigger").get<std::string>();
}

TEST_CASE("checkpoint: the tenth user or tool message", "[assessment]") {
  Story story;
  for (int i = 1; i < 10; ++i) {
    CHECK(trigger_of(story.ask(fmt::format("step {}", i))).empty());
  }
  const auto medium = only(story.tool(false), "medium");
  REQUIRE(medium.size() == 1);
  CHECK(medium[0].at("trigger") == "message_count");
  CHECK(medium[0].at("message_range") == nlohmann::json({1, 10}));
  CHECK(medium[0].at("event_ids").size() == 10);
  CHECK(medium[0].at("segment_score") == 0.5);
  CHECK(medium[0].at("summary") == R"(10 messages. Asked: "step 1". Tools: a tool 1.)");
  for (int i = 1; i < 10; ++i) {
    CHECK(trigger_of(story.ask(fmt::format("more {}", i))).empty());
  }
  CHECK(only(story.tool(false), "medium").at(0).at("message_range") == nlohmann::json({11, 20}));
}

TEST_CASE("checkpoint: 300 seconds since the last, once there are five messages", "[assessment]") {
  Story story;
  story.ask("a");
  story.ask("b", 150);
  story.ask("c", 149);
  CHECK(trigger_of(story.ask("d")).empty());  // 300 s, but four messages
  CHECK(trigger_of(story.ask("e")) == "interval");
}

TEST_CASE("checkpoint: frustration of 0.7", "[assessment]") {
  Story story;
  for (int i = 0; i < 5; ++i) {
    CHECK(trigger_of(story.ask(fmt::format("error failed wrong broken {}", i))).empty());
  }
  CHECK(trigger_of(story.ask("error failed wrong broken")) == "frustration");
}

TEST_CASE("checkpoint: two tool failures among the last five messages", "[assessment]") {
  Story story;
  story.ask("a");
  story.tool(true);
  story.ask("b");
  story.ask("c");
  CHECK(trigger_of(story.tool(true)) == "tool_failures");

  Story apart;
  apart.tool(true);
  for (const auto* text : {"a", "b", "c", "d"}) {
    apart.ask(text);
  }
  CHECK(trigger_of(apart.tool(true)).empty());
}

TEST_CASE("checkpoint: a commit and a passed build", "[assessment]") {
  Story story;
  for (const auto* text : {"a", "b", "c", "d"}) {
    story.ask(text);
  }
  CHECK(trigger_of(story.tool(false, "[main 5be20c7] x")) == "commit");
  for (const auto* text : {"a", "b", "c", "d"}) {
    story.ask(text);
  }
  const auto results = story.tool(false, "7 passed");
  CHECK(trigger_of(results) == "build_passed");
  CHECK(only(results, "medium").at(0).at("segment_score") == 0.6);
}

TEST_CASE("checkpoint: a pause of five minutes is seen by whatever comes next", "[assessment]") {
  Story story;
  for (const auto* text : {"a", "b", "c", "d", "e"}) {
    story.ask(text);
  }
  const nlohmann::json other{{"type", "client_connected"}, {"client_id", "c"}};
  CHECK(story.tell(other, 299).empty());
  const auto medium = only(story.tell(other, 1), "medium");
  REQUIRE(medium.size() == 1);
  CHECK(medium[0].at("trigger") == "pause");
  CHECK(medium[0].at("session_id") == "s1");
  CHECK(medium[0].at("triggering_event_id") == to_string(name_uuid(kUrlNamespace, "5")));
  CHECK(story.tell(other, 300).empty());
}

TEST_CASE("checkpoint: tokens are those of the turns inside", "[assessment]") {
  Story story;
  const nlohmann::json turn{{"type", "turn_complete"},
                            {"usage", {{"input_tokens", 100}, {"output_tokens", 7}}}};
  for (const auto* text : {"a", "b", "c", "d"}) {
    story.ask(text);
    story.claude(turn);
  }
  const auto medium = only(story.tool(false, "1 passed"), "medium");
  REQUIRE(medium.size() == 1);
  CHECK(medium[0].at("token_metrics") ==
        nlohmann::json({{"input_tokens", 400}, {"output_tokens", 28}}));
}

TEST_CASE("checkpoint: a quotation is one line, cut between characters", "[assessment]") {
  CHECK(first_line("  \n one\ntwo", 100) == "one");
  CHECK(first_line("ééé", 3) == "é…");
  CHECK(first_line("", 3).empty());
}

}  // namespace
}  // namespace vibes::consumers::assessment
