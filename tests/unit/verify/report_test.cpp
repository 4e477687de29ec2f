// SPDX-License-Identifier: MIT
#include "verify/report.hpp"

#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "verify/text.hpp"

using namespace vibes;
using namespace vibes::verify;

namespace {

/// What must not break any format: its own syntax, control characters, bytes that are no UTF-8, no
/// characters of XML.
const std::string kNasty =
    "a # b \\ <&>\"' ]]> \x1b[31m \x01 \xff\xfe \xef\xbf\xbf ok 7 - x\nnot ok 1\n1..3\tz";

ScenarioResult nasty_result() {
  ScenarioResult result;
  result.name = "scenario " + kNasty;
  result.summary = kNasty;
  result.checks = {
      {"good " + kNasty, Status::passed, "", "", "", std::chrono::milliseconds(5)},
      {"bad " + kNasty, Status::failed, kNasty, kNasty, kNasty, std::chrono::milliseconds(7)},
      {"none " + kNasty, Status::skipped, kNasty, "", "", {}}};
  result.facts = {{kNasty, kNasty}};
  result.diagnostics = kNasty + "\nok 2 - forged\n" + kNasty;
  return result;
}

std::string render(Format format, Colour colour = Colour::no) {
  const auto reporter = make_reporter(format, colour);
  std::string text = reporter->begin({"1.0", kNasty, 42, 2});
  text += reporter->scenario(nasty_result());
  ScenarioResult good;
  good.name = "quiet";
  good.checks = {{"only", Status::passed, "", "", "", {}}};
  text += reporter->scenario(good);
  return text + reporter->end();
}

/// The output of a Python program that is given a file holding `text`: a parser that is not ours.
std::string python(const std::string& program, const std::string& text) {
  const test::TempDir directory;
  const std::string file = (directory.path() / "report").string();
  std::ofstream(file, std::ios::binary) << text;
  const std::string script = (directory.path() / "script.py").string();
  std::ofstream(script) << program;
  FILE* pipe = ::popen(("/usr/bin/python3 " + script + " " + file + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    output += static_cast<char>(c);
  }
  ::pclose(pipe);
  return output;
}

}  // namespace

TEST_CASE("report: JUnit is XML whatever the names hold", "[verify][report]") {
  const std::string seen = python(R"(
import sys, xml.etree.ElementTree as ET
root = ET.parse(sys.argv[1]).getroot()
print(root.tag, *(root.get(k) for k in ("tests", "failures", "errors", "skipped")))
for suite in root:
    cases = suite.findall("testcase")
    print(suite.get("tests"), len(cases), len(suite.findall("testcase/failure")),
          len(suite.findall("testcase/skipped")), "<&>\"'" in suite.get("name"))
)",
                                  render(Format::junit));
  CHECK(seen == "testsuites 4 1 0 1\n3 3 1 1 True\n1 1 0 0 False\n");
}

TEST_CASE("report: TAP keeps its lines whatever the names hold", "[verify][report]") {
  // Every line must be one that TAP 14 knows, at its level; the counts must be those of the plans.
  const std::string seen = python(R"(
import re, sys
levels = {0: [], 4: []}
plans, inside = {0: [], 4: []}, False
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    indent = 4 if line.startswith("    ") else 0
    text = line[indent:]
    if text == "  ---": inside = True
    elif text == "  ...": inside = False
    elif inside: assert re.match(r'  \w+: (".*"|\d+)$', text), line
    elif m := re.match(r"(not )?ok (\d+) - (?:\\.|[^#\\])*( # SKIP .*)?$", text):
        levels[indent].append((bool(m[1]), int(m[2]), bool(m[3])))
    elif m := re.match(r"1\.\.(\d+)$", text): plans[indent].append(int(m[1]))
    else: assert text.startswith("# ") or text == "#" or text == "TAP version 14", line
print(plans, levels)
)",
                                  render(Format::tap));
  CHECK(seen ==
        "{0: [2], 4: [3, 1]} {0: [(True, 1, False), (False, 2, False)], 4: [(False, 1, False), "
        "(True, 2, False), (False, 3, True), (False, 1, False)]}\n");
}

TEST_CASE("report: JSON says what happened", "[verify][report]") {
  const auto json = nlohmann::json::parse(render(Format::json), nullptr, false);
  REQUIRE(json.is_object());
  CHECK(json["valid"] == false);
  CHECK(json["seed"] == 42);
  CHECK(json["passed"] == 2);
  CHECK(json["failed"] == 1);
  CHECK(json["skipped"] == 1);
  CHECK(json["scenarios"][0]["status"] == "failed");
  CHECK(json["scenarios"][0]["checks"][1]["expected"].is_string());
  CHECK(json["scenarios"][1]["status"] == "passed");
}

TEST_CASE("report: a person sees no control characters of others", "[verify][report]") {
  const std::string plain = render(Format::human);
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(plain.find('\x01') == std::string::npos);
  CHECK(plain.find("2 checks passed, 1 failed, 1 skipped") != std::string::npos);
  CHECK(plain.find("expected: a # b") != std::string::npos);
  const std::string coloured = render(Format::human, Colour::yes);
  CHECK(coloured.find("\x1b[1;31mFAILED\x1b[0m") != std::string::npos);
}

TEST_CASE("report: giving up is said in every format", "[verify][report]") {
  for (const Format format : {Format::human, Format::tap, Format::junit, Format::json}) {
    const auto reporter = make_reporter(format, Colour::no);
    std::string text = reporter->begin({"1.0", "t", 1, 1});
    text += reporter->bail_out("no server");
    text += reporter->end();
    CHECK(text.find("no server") != std::string::npos);
  }
}

TEST_CASE("report: a scenario without a check that ran is skipped", "[verify][report]") {
  ScenarioResult result;
  CHECK(result.status() == Status::skipped);
  result.checks.push_back({"x", Status::skipped, "", "", "", {}});
  CHECK(result.status() == Status::skipped);
  result.checks.push_back({"y", Status::passed, "", "", "", {}});
  CHECK(result.status() == Status::passed);
}

TEST_CASE("text: every byte becomes something printable", "[verify][report]") {
  CHECK(printable("a\tb\n") == "a\tb\n");
  CHECK(printable("\xc3\xa4\x7f") == "\xc3\xa4\xef\xbf\xbd");
  CHECK(one_line("a\nb\tc") == "a b c");
  CHECK(indented("a\n\nb", "> ") == "> a\n> \n> b\n");
  CHECK(indented("", "> ").empty());
}
