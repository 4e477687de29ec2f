// SPDX-License-Identifier: MIT
#include "consumers/assessment/assessor.hpp"

#include <algorithm>

#include "consumers/assessment/errc.hpp"
#include "fixture.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

nlohmann::json text_delta(const std::string& text) {
  return {{"type", "text_delta"}, {"text", text}};
}

TEST_CASE("assessor: a result has the trigger's id in it and an id made from it", "[assessment]") {
  Story story;
  const auto results = story.ask("I keep getting an error, it failed again");
  REQUIRE(results.size() == 1);
  const Uuid trigger = name_uuid(kUrlNamespace, "1");
  CHECK(results[0].at("type") == "assessment");
  CHECK(results[0].at("tier") == "lightweight");
  CHECK(results[0].at("triggering_event_id") == to_string(trigger));
  CHECK(results[0].at("frustration") == 0.12);
  CHECK(story.lines.at(0).starts_with(to_string(name_uuid(trigger, "lightweight"))));
}

TEST_CASE("assessor: what says nothing and changes nothing is not told", "[assessment]") {
  Story story;
  CHECK(story.ask("please look at the parser").empty());
  story.ask("wrong");
  CHECK(story.ask("please look again").size() == 1);  // it cools down
}

TEST_CASE("assessor: a turn is one message however it is cut", "[assessment]") {
  Story story;
  CHECK(story.claude(text_delta("it does")).empty());
  CHECK(story.claude(text_delta("n't wo")).empty());
  CHECK(story.claude(text_delta("rk")).empty());
  const auto results = story.claude(
      {{"type", "turn_complete"}, {"usage", {{"input_tokens", 1}, {"output_tokens", 1}}}});
  REQUIRE(results.size() == 1);
  CHECK(results[0].at("kind") == "agent_text");
  CHECK(results[0].at("signals").at(0).at("pattern") == "doesn't work");
  CHECK(results[0].at("triggering_event_id") == to_string(name_uuid(kUrlNamespace, "3")));
}

TEST_CASE("assessor: a prompt ends a turn that was cut off, and both are told", "[assessment]") {
  Story story;
  story.claude(text_delta("an error"));
  const auto results = story.ask("that is wrong");
  REQUIRE(results.size() == 2);
  CHECK(results[0].at("kind") == "agent_text");
  CHECK(results[1].at("kind") == "prompt");
  CHECK(results[0].at("triggering_event_id") != results[1].at("triggering_event_id"));
}

TEST_CASE("assessor: a prompt that hook and stream both tell is one, told again a retry",
          "[assessment]") {
  Story story;
  const nlohmann::json hook{{"type", "user_prompt_submit"}, {"prompt", "it is wrong"}};
  CHECK(story.hook(hook).size() == 1);
  CHECK(story.ask("it is wrong").empty());
  const auto again = story.hook(hook);
  REQUIRE(!only(again, "lightweight").empty());
  CHECK(only(again, "lightweight").at(0).at("signals").back().at("signal") == "retry");
  REQUIRE(only(again, "intervention").size() == 1);
  CHECK(only(again, "intervention").at(0).at("kind") == "clarification_pause");
  CHECK(story.ask("it is wrong").empty());
}

TEST_CASE("assessor: after both told a prompt, either again is a retry", "[assessment]") {
  for (const auto* again : {"hook", "stream"}) {
    Story story;
    const nlohmann::json hook{{"type", "user_prompt_submit"}, {"prompt", "it is wrong"}};
    story.hook(hook);
    story.ask("it is wrong");
    const auto results =
        std::string_view(again) == "hook" ? story.hook(hook) : story.ask("it is wrong");
    INFO(again);
    CHECK(only(results, "intervention").size() == 1);
  }
}

TEST_CASE("assessor: a prompt that the other source tells a minute later is a retry",
          "[assessment]") {
  Story story;
  story.hook({{"type", "user_prompt_submit"}, {"prompt", "it is wrong"}});
  CHECK(only(story.ask("it is wrong", 61), "intervention").size() == 1);
}

TEST_CASE("assessor: a result that hook and stream both tell is one and has the tool's name",
          "[assessment]") {
  Story story;
  story.claude({{"type", "tool_use_start"}, {"id", "toolu_1"}, {"name", "Bash"}});
  const auto first = story.claude(
      {{"type", "tool_result"}, {"id", "toolu_1"}, {"output", "x"}, {"is_error", true}});
  REQUIRE(first.size() == 1);
  CHECK(first[0].at("signals").at(0).at("tool_name") == "Bash");
  CHECK(story
            .hook({{"type", "post_tool_use"},
                   {"tool_name", "Bash"},
                   {"tool_use_id", "toolu_1"},
                   {"tool_response", {{"exit_code", 1}}}})
            .empty());
}

TEST_CASE("assessor: it ignores its own events", "[assessment]") {
  Story story;
  story.ask("wrong");
  const std::string before = story.assessor.save();
  CHECK(story.tell({{"type", "assessment"}, {"session_id", "s1"}, {"tier", "heavy"}}, 100'000)
            .empty());
  CHECK(story
            .tell({{"type", "intervention"},
                   {"session_id", "s1"},
                   {"kind", "x"},
                   {"reason", "error"},
                   {"message", "error"}})
            .empty());
  CHECK(story
            .tell({{"type", "intervention_delivered"},
                   {"session_id", "s1"},
                   {"intervention_id", "i"},
                   {"hook_event_id", "h"}},
                  100'000)
            .empty());
  CHECK(story.assessor.save() == before);
}

TEST_CASE("assessor: an event it cannot read changes nothing", "[assessment]") {
  Story story;
  story.ask("wrong");
  const std::string before = story.assessor.save();
  const event::EventView bad{.offset = Offset(9),
                             .event_id = kUrlNamespace,
                             .time = Timestamp{story.now_us * 2},
                             .type = "user_input",
                             .session = "s1",
                             .payload = R"({"content":[]})"};
  const auto results = story.assessor.fold(bad);
  REQUIRE(!results);
  CHECK(results.error().code == Errc::bad_payload);
  CHECK(story.assessor.save() == before);
}

TEST_CASE("assessor: with too many sessions the quietest ends", "[assessment]") {
  Story story(Patterns(), 2);
  for (const auto* session : {"a", "b"}) {
    story.session = session;
    story.ask("hello");
  }
  story.session = "a";
  story.claude({{"type", "thinking_delta"}, {"text", "hm"}});
  story.session = "c";
  const auto results = story.ask("hello");
  REQUIRE(results.size() == 1);
  CHECK(results[0].at("session_id") == "b");
  CHECK(results[0].at("ended_by") == "evicted");
  CHECK(story.assessor.sessions() == 2);
}

/// Days with more trouble than any recorded one: always the same.
class Trouble {
 public:
  explicit Trouble(Story& story) : story_(story) {}

  void tell_one() {
    story_.session = fmt::format("s{}", random(9));
    const auto seconds = static_cast<std::int64_t>(random(12) == 0 ? random(1'000) : random(8));
    switch (random(6)) {
      case 0:
        story_.tool(random(2) == 0, random(3) == 0 ? "7 passed" : "out", seconds);
        break;
      case 1:
        story_.claude(text_delta(kTexts.at(random(kTexts.size()))), seconds);
        break;
      case 2:
        story_.claude({{"type", "turn_start"}}, seconds);
        break;
      case 3:
        if (random(12) == 0) {
          story_.hook({{"type", "session_end"}}, seconds);
          break;
        }
        [[fallthrough]];
      default:
        story_.ask(kTexts.at(random(kTexts.size())), seconds);
    }
  }

 private:
  std::size_t random(std::size_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state_ >> 33U) % below;
  }

  const std::vector<std::string> kTexts{"error, failed, wrong", "No, not that", "perfect", "go on",
                                        "thanks, it works",     "it can't be",  "stop!"};
  Story& story_;
  std::uint64_t state_ = 7;
};

TEST_CASE("assessor: a restart before any event of a troubled day changes nothing",
          "[assessment]") {
  constexpr int kEvents = 1'500;
  Story whole;
  Trouble undisturbed(whole);
  Story restarted;
  Trouble disturbed(restarted);
  for (int i = 0; i < kEvents; ++i) {
    undisturbed.tell_one();
    const std::string state = restarted.assessor.save();
    restarted.assessor = Assessor(Patterns());
    REQUIRE(restarted.assessor.load(state).has_value());
    disturbed.tell_one();
  }
  CHECK(whole.lines == restarted.lines);
  const auto count = [&whole](std::string_view what) {
    return std::ranges::count_if(whole.lines, [what](const std::string& line) {
      return line.find(what) != std::string::npos;
    });
  };
  CHECK(count(R"("type":"intervention")") > 10);
  CHECK(count(R"("state":"half_open")") > 10);
  CHECK(count(R"("trigger":"pause")") > 0);
  CHECK(count(R"("ended_by":"idle")") > 0);
  CHECK(count(R"("tier":"heavy")") > 10);
  CHECK(count(R"("held_back":0)") < count(R"("tier":"heavy")"));
}

TEST_CASE("assessor: a state that is not ours is refused and changes nothing", "[assessment]") {
  Story story;
  story.ask("wrong");
  const std::string before = story.assessor.save();
  for (const auto* text : {"", "{", "[]", R"({"version":2})", R"({"version":1,"sessions":7})"}) {
    INFO(text);
    const auto loaded = story.assessor.load(text);
    REQUIRE(!loaded);
    CHECK(loaded.error().code == Errc::bad_state);
    CHECK(story.assessor.save() == before);
  }
}

}  // namespace
}  // namespace vibes::consumers::assessment
