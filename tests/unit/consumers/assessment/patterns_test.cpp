// SPDX-License-Identifier: MIT
#include "consumers/assessment/patterns.hpp"

#include <string>

#include "base/limits.hpp"
#include "consumers/assessment/errc.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Names = std::vector<std::string_view>;

Names negatives(std::string_view text) {
  static const Patterns kPatterns;
  Findings findings;
  kPatterns.scan(text, findings);
  return findings.negative;
}
Names positives(std::string_view text) {
  static const Patterns kPatterns;
  Findings findings;
  kPatterns.scan(text, findings);
  return findings.positive;
}
bool corrects(std::string_view text) {
  static const Patterns kPatterns;
  Findings findings;
  kPatterns.scan(text, findings);
  return findings.correction == Findings::Correction::found;
}
std::string refusal(const ExtraPatterns& extra) {
  const auto patterns = Patterns::make(extra);
  REQUIRE(!patterns);
  return patterns.error().context;
}

TEST_CASE("patterns: whole words only, whatever their case", "[assessment]") {
  CHECK(negatives("An ERROR.") == Names{"error"});
  CHECK(negatives("(error)") == Names{"error"});
  CHECK(negatives("“error”") == Names{"error"});
  CHECK(negatives("errors error_code terror xerror").empty());
  CHECK(positives("It works!") == Names{"works"});
  CHECK(positives("networks undone").empty());
}

TEST_CASE("patterns: both apostrophes are one", "[assessment]") {
  CHECK(negatives("it can't") == Names{"can't"});
  CHECK(negatives("it can’t") == Names{"can't"});
  CHECK(negatives("It Doesn’t\n  WORK") == Names{"doesn't work"});
  CHECK(negatives("can t won t").empty());
  CHECK(negatives("'error'") == Names{"error"});
}

TEST_CASE("patterns: the beginning of a word stands for all of it", "[assessment]") {
  CHECK(negatives("so frustrating, I am frustrated") == Names{"frustrat…"});
  CHECK(negatives("CONFUSED") == Names{"confus…"});
  CHECK(positives("thanks") == Names{"thank…"});
  CHECK(positives("successfully completed") == Names{"success…", "complete…"});
}

TEST_CASE("patterns: words next to each other match across white space", "[assessment]") {
  CHECK(negatives("it does not work") == Names{"not work"});
  CHECK(negatives("not that work").empty());
}

TEST_CASE("patterns: a negation within three words before takes a positive away", "[assessment]") {
  CHECK(positives("not great").empty());
  CHECK(positives("it never really works").empty());
  CHECK(positives("no it now works").empty());
  CHECK(positives("isn’t quite perfect").empty());
  CHECK(positives("not one two three great") == Names{"great"});
  CHECK(positives("great, not bad") == Names{"great"});
  CHECK(positives("not great, but it compiles and now works") == Names{"works"});
}

TEST_CASE("patterns: corrections are told from other refusals", "[assessment]") {
  CHECK(corrects("No, that's the wrong file"));
  CHECK(corrects("stop!"));
  CHECK(corrects("that’s not what I asked for"));
  CHECK(!corrects("No new dependencies."));
  CHECK(!corrects("Wait for the server, then test"));
  CHECK(!corrects("say no, please"));
}

TEST_CASE("patterns: any bytes are taken", "[assessment]") {
  CHECK(negatives("").empty());
  CHECK(negatives("\xe2").empty());
  CHECK(negatives("\xf0\x9f").empty());
  CHECK(negatives(std::string_view("\0error\0", 7)) == Names{"error"});
  CHECK(negatives(std::string(100'000, 'e') + " error") == Names{"error"});
  CHECK(negatives("🙁error") == Names{"error"});
}

TEST_CASE("patterns: those of the configuration are added", "[assessment]") {
  const auto patterns = Patterns::make({.negative = {"so ein Mist", "ver­flixt"}, .positive = {}});
  CHECK(!patterns);  // a soft hyphen is no letter
  const auto good = Patterns::make({.negative = {"so ein Mist", "nerv*"}, .positive = {"läuft"}});
  REQUIRE(good.has_value());
  Findings findings;
  good->scan("So ein MIST, das nervt. Jetzt läuft es, no error", findings);
  CHECK(findings.negative == Names{"so ein Mist", "nerv*", "error"});
  CHECK(findings.positive == Names{"läuft"});
}

TEST_CASE("patterns: a bad one is refused with its place", "[assessment]") {
  CHECK(refusal({.negative = {"fine", "foo (bar"}, .positive = {}})
            .starts_with("negative pattern 2, byte 5: "));
  CHECK(refusal({.negative = {}, .positive = {""}}).starts_with("positive pattern 1, byte 1: "));
  CHECK(refusal({.negative = {}, .positive = {"a*"}}).find("three letters") != std::string::npos);
  CHECK(refusal({.negative = {"a.*b"}, .positive = {}}).find("byte 1") != std::string::npos);
  CHECK(refusal({.negative = {std::string(257, 'x')}, .positive = {}}).find("256") !=
        std::string::npos);
  CHECK(refusal({.negative = {"a b c d e f g h i"}, .positive = {}}).find("8 words") !=
        std::string::npos);
  const auto many =
      Patterns::make({.negative = std::vector<std::string>(limits::kAssessmentPatternsMax + 1, "x"),
                      .positive = {}});
  REQUIRE(!many);
  CHECK(many.error().code == Errc::too_many_patterns);
}

}  // namespace
}  // namespace vibes::consumers::assessment
