// SPDX-License-Identifier: MIT
#include "cli/curve.hpp"

#include <sstream>

#include "cli/term.hpp"
#include "support/catch.hpp"

using namespace vibes::cli;

namespace {

/// A session that goes wrong between its messages 11 and 24, and is calm at the end.
CurvePicture trouble() {
  CurvePicture picture;
  double average = 0;
  for (std::uint64_t message = 1; message <= 40; ++message) {
    average = 0.8 * average + 0.2 * (message > 10 && message < 25 ? 1.0 : 0.0);
    picture.readings.push_back({message, average});
  }
  picture.messages = 40;
  picture.checkpoints = {10, 20, 24, 34};
  picture.interventions = {17};
  return picture;
}

/// Without the line break that a literal begins with.
std::string picture_of(std::string_view literal) { return std::string(literal.substr(1)); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// How many columns have a bar in the row of the threshold.
std::size_t bars_at_threshold(const CurvePicture& picture) {
  const std::string row = lines_of(draw_curve(picture, {.columns = 80})).at(2);
  std::size_t bars = 0;
  for (const char c : row.substr(5)) {
    bars += c == '-' ? 0 : 1;
  }
  return bars;
}

}  // namespace

TEST_CASE("curve: drawn with blocks", "[cli][curve]") {
  CHECK(draw_curve(trouble(), {.columns = 66, .utf8 = true}) == picture_of(R"(
1.0 ┤                             ▁▂▃▄▄▅▅
    │                         ▃▄▆████████▆
0.7 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▃▆█████████████▄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
    │                    ▃▇████████████████▄
    │                  ▁▇███████████████████▅
    │                 ▃██████████████████████▇▂
    │                ▄█████████████████████████▅▁
    │               ▄████████████████████████████▆▃
    │              ▂████████████████████████████████▆▄▃▁
    │              ██████████████████████████████████████▇▆▅▅▄▄▃▃
0.0 └┬─────────────┬──────────────┬──────────────┬──────────────┬
                   ▴              ▴     ▴              ▴
                             !
     1             10             20             30            40
     frustration by message  ▴ checkpoint  ! intervention
)"));
}

TEST_CASE("curve: drawn in ASCII", "[cli][curve]") {
  CHECK(draw_curve(trouble(), {.columns = 66}) == picture_of(R"(
1.0 +                             ..:::::
    |                         ::##########
0.7 +----------------------:##############:----------------------
    |                    :#################:
    |                  .####################:
    |                 :#######################.
    |                :#########################:.
    |               :#############################:
    |              .#################################::.
    |              ########################################::::::
0.0 ++-------------+--------------+--------------+--------------+
                   ^              ^     ^              ^
                             !
     1             10             20             30            40
     frustration by message  ^ checkpoint  ! intervention
)"));
}

TEST_CASE(
    "curve: a narrow terminal has a line more for what the marks are, and a too narrow one nothing",
    "[cli][curve]") {
  CHECK(draw_curve(trouble(), {.columns = 36, .utf8 = true}) == picture_of(R"(
1.0 ┤              ▁▃▄▅
    │            ▂▆████▅
0.7 ┤┄┄┄┄┄┄┄┄┄┄┄▅███████┄┄┄┄┄┄┄┄┄┄┄
    │          ▇████████▃
    │         ▆██████████
    │        ▂███████████▆
    │        █████████████▄
    │       ▂██████████████▅
    │       █████████████████▄▁
    │       ███████████████████▇▅▄▃
0.0 └┬─────────────┬──────────────┬
            ▴      ▴  ▴       ▴
                 !
     1             20            40
     frustration by message
     ▴ checkpoint  ! intervention
)"));
  CHECK(draw_curve(trouble(), {.columns = 29}).empty());
}

TEST_CASE("curve: no message is no picture", "[cli][curve]") { CHECK(draw_curve({}, {}).empty()); }

TEST_CASE("curve: one message is one bar", "[cli][curve]") {
  CHECK(draw_curve({.readings = {{1, 0.35}}, .messages = 1}, {.columns = 40}) == picture_of(R"(
1.0 +
    |
0.7 +----------------------------------
    |
    |
    |
    |:
    |#
    |#
    |#
0.0 ++---------------------------------
     1
     frustration by message
)"));
}

TEST_CASE("curve: what is not told has not changed", "[cli][curve]") {
  // Message 8 is the last of a quiet stretch, not a step on a slope from 3 to 9.
  CHECK(draw_curve({.readings = {{3, 0.3}, {9, 0.8}}, .messages = 12}, {.columns = 40}) ==
        picture_of(R"(
1.0 +
    |                        ..........
0.7 +-----------------------.##########
    |                       ###########
    |                      :###########
    |                      ############
    |      ...............#############
    |     :############################
    |    :#############################
    |   :##############################
0.0 ++-----------+--------------+-----+
     1           5              10   12
     frustration by message
)"));
}

TEST_CASE("curve: a long session keeps its peaks", "[cli][curve]") {
  CurvePicture picture;
  picture.messages = 100'000;
  for (std::uint64_t message = 1; message <= picture.messages; message += 200) {
    picture.readings.push_back({message, message == 60'001 ? 1.0 : 0.15});
  }
  picture.checkpoints = {1, 50'000, 100'000, 200'000};
  CHECK(draw_curve(picture, {.columns = 66, .utf8 = true}) == picture_of(R"(
1.0 ┤                                   ██
    │                                   ██
0.7 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄██┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
    │                                   ██
    │                                   ██
    │                                   ██
    │                                   ██
    │                                   ██
    │▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅██▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅
    │████████████████████████████████████████████████████████████
0.0 └┬───────────┬───────────┬──────────┬───────────┬───────────┬
     ▴                            ▴                             ▴
     1           20000       40000      60000       80000  100000
     frustration by message  ▴ checkpoint
)"));
}

TEST_CASE("curve: a bar is in the row of the threshold where that is reached, and only there",
          "[cli][curve]") {
  const auto level = [](double value) {
    return CurvePicture{.readings = {{1, value}, {2, value}}, .messages = 2};
  };
  CHECK(bars_at_threshold(level(0.699)) == 0);
  CHECK(bars_at_threshold(level(0.7)) == 74);
  CHECK(bars_at_threshold(level(1.0)) == 74);
}

TEST_CASE("curve: values and marks out of range do no harm", "[cli][curve]") {
  const CurvePicture picture{.readings = {{0, -1}, {7, 9}, {50, 0.5}},
                             .messages = 10,
                             .checkpoints = {0, 99},
                             .interventions = {0}};
  for (const std::size_t columns : {30U, 80U, 10'000U}) {
    for (const std::string& line : lines_of(draw_curve(picture, {.columns = columns}))) {
      CHECK(line.size() <= columns);
    }
  }
}

TEST_CASE("curve: fits any terminal", "[cli][curve]") {
  for (std::size_t columns = 30; columns < 300; ++columns) {
    for (const std::string& line :
         lines_of(draw_curve(trouble(), {.columns = columns, .utf8 = true}))) {
      CHECK(display_columns(line) < columns);
    }
  }
}

TEST_CASE("curve: colours are asked for, and say what is bad", "[cli][curve]") {
  CHECK(draw_curve(trouble(), {.columns = 66}).find('\x1b') == std::string::npos);
  const auto lines = lines_of(draw_curve(trouble(), {.columns = 66, .color = true}));
  CHECK(lines.at(0).find("\x1b[31m") != std::string::npos);  // above the threshold: red
  CHECK(lines.at(13).find("\x1b[31m") == std::string::npos);
  std::string plain;
  for (const std::string& line : lines) {
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line[at] == '\x1b') {
        at = line.find('m', at);
      } else {
        plain += line[at];
      }
    }
    plain += '\n';
  }
  CHECK(plain == draw_curve(trouble(), {.columns = 66}));
}

TEST_CASE("term: UTF-8 is what the locale says", "[cli][term]") {
  const auto with = [](const char* all, const char* ctype, const char* lang) {
    ::setenv("LC_ALL", all, 1);
    ::setenv("LC_CTYPE", ctype, 1);
    ::setenv("LANG", lang, 1);
    const bool utf8 = wants_utf8();
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
      ::unsetenv(name);
    }
    return utf8;
  };
  CHECK(with("", "", "de_DE.UTF-8"));
  CHECK(with("", "en_US.utf8", "C"));
  CHECK(with("C.UTF-8", "C", "C"));
  CHECK_FALSE(with("C", "en_US.UTF-8", "en_US.UTF-8"));
  CHECK_FALSE(with("", "", "de_DE.ISO-8859-1"));
  CHECK_FALSE(with("", "", ""));
}
