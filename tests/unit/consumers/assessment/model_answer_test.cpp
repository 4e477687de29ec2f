// SPDX-License-Identifier: MIT
#include "consumers/assessment/model_answer.hpp"

#include "consumers/assessment/errc.hpp"
#include "event/check.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

std::string summary_of(const std::string& printed) {
  const auto answer = read_answer(printed);
  return answer ? answer->summary : "refused: " + answer.error().context;
}

TEST_CASE("read_answer: an object alone, in a fence or with text around it",
          "[assessment][model]") {
  CHECK(summary_of(R"({"summary":"all well"})") == "all well");
  CHECK(summary_of("  \n{\"summary\": \" all well \\n\"}\n") == "all well");
  CHECK(summary_of("```json\n{\"summary\":\"all well\"}\n```\n") == "all well");
  CHECK(summary_of("Here {you} are: {\"a\":1} {\"summary\":\"a } in \\\"it\\\" {\"} Bye }{") ==
        "a } in \"it\" {");
  CHECK(summary_of(R"({"summary":"first"} {"summary":"second"})") == "first");
  CHECK(summary_of(R"({"more":{"summary":"inside"},"summary":"outside"})") == "outside");
}

TEST_CASE("read_answer: what is no answer is refused, and why", "[assessment][model]") {
  CHECK(summary_of("") == "refused: no JSON object");
  CHECK(summary_of("all well") == "refused: no JSON object");
  CHECK(summary_of("[\"summary\"]") == "refused: no JSON object");
  CHECK(summary_of(R"({"summary":"cut off)") == "refused: no JSON object");
  CHECK(summary_of("{\"summary\":\"\xff\"}") == "refused: no JSON object");
  CHECK(summary_of(R"({"text":"all well"})") == "refused: no summary");
  CHECK(summary_of(R"({"summary":7})") == "refused: no summary");
  CHECK(summary_of(R"({"summary":" \n "})") == "refused: an empty summary");
  CHECK(summary_of(R"({"summary":"x","outcome":"splendid"})") == "refused: an unknown outcome");
  CHECK(summary_of(R"({"summary":"x","outcome":null})") == "refused: an unknown outcome");
  CHECK(read_answer("").error().code == Errc::bad_answer);
}

TEST_CASE("read_answer: each outcome of a session is taken", "[assessment][model]") {
  for (const std::string outcome : {"success", "partial", "failure", "abandoned"}) {
    const auto answer = read_answer(R"({"summary":"x","outcome":")" + outcome + "\"}");
    REQUIRE(answer.has_value());
    CHECK(answer->outcome == outcome);
  }
  CHECK(!read_answer(R"({"summary":"x"})")->outcome);
}

TEST_CASE("read_answer: a long summary is cut between characters", "[assessment][model]") {
  for (const std::string before : {"", "x", "xx"}) {
    std::string text = before;
    while (text.size() < 2 * kSummaryBytesMax) {
      text += "€";
    }
    const std::string cut = summary_of("{\"summary\":\"" + text + "\"}");
    CHECK(cut.size() <= kSummaryBytesMax);
    CHECK(cut.size() > kSummaryBytesMax - 6);
    CHECK(event::check("{\"type\":\"x\",\"s\":\"" + cut + "\"}"));
  }
}

TEST_CASE("read_answer: a text of nothing but braces is refused soon", "[assessment][model]") {
  CHECK(summary_of(std::string(256 * 1024, '{')) == "refused: no JSON object");
}

}  // namespace
}  // namespace vibes::consumers::assessment
