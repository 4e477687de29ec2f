// SPDX-License-Identifier: MIT
// Assessment with a model: what is asked, what is remembered, what is appended.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "support/temp_dir.hpp"
#include "unit/consumers/assessment/day.hpp"

namespace vibes::consumers::assessment {
namespace {

using nlohmann::json;

BackendOptions model(const std::string& command) {
  return {.command = command, .retry_first = std::chrono::milliseconds(1)};
}

const std::string kGood =
    R"(cat >/dev/null; echo '{"summary":"the model says so","outcome":"partial"}')";
const std::string kHangs = "exec sleep 1000";

bool has_summary_text(const std::string& line) {
  return line.find(R"("tier":"medium")") != std::string::npos ||
         line.find(R"("tier":"heavy")") != std::string::npos;
}

/// Results by their event_id.
std::map<std::string, std::string> by_id(const Lines& lines) {
  std::map<std::string, std::string> found;
  for (const std::string& line : lines) {
    const std::size_t space = line.find(' ');
    CHECK(found.emplace(line.substr(0, space), line.substr(space + 1)).second);
  }
  return found;
}

/// What the day gives without a model.
const Lines& plain_day() {
  static const Lines kLines = [] {
    Day day;
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, day.length);
    day.settle(*consumer, day.length);
    return day.results();
  }();
  return kLines;
}

std::size_t count_plain_summaries() {
  return static_cast<std::size_t>(
      std::count_if(plain_day().begin(), plain_day().end(), has_summary_text));
}

std::string state_of(Day& day) {
  const auto file = day.disk.open(kState, io::OpenMode::read_only);
  REQUIRE(file.has_value());
  std::string text(*(*file)->size(), '\0');
  REQUIRE((*file)->read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

/// The state's first line.
json head_of(Day& day) {
  const std::string text = state_of(day);
  return json::parse(text.substr(0, text.find('\n')));
}

/// The same ids as without a model, and the same results where none was asked.
void check_same_but_for_summaries(const Lines& lines) {
  const auto got = by_id(lines);
  const auto plain = by_id(plain_day());
  REQUIRE(got.size() == plain.size());
  for (const auto& [id, payload] : plain) {
    REQUIRE(got.contains(id));
    if (!has_summary_text(payload)) {
      CHECK(got.at(id) == payload);
    }
  }
}

TEST_CASE("summaries: those of a model are told as such, everything else is as without one",
          "[assessment][model]") {
  Day day;
  const auto consumer = day.open(Offset(0), Patterns(), model(kGood));
  day.feed(*consumer, 0, day.length);
  day.settle(*consumer, day.length);
  day.wait_for_results(plain_day().size());
  const Lines lines = day.results();
  check_same_but_for_summaries(lines);
  const auto plain = by_id(plain_day());
  for (const auto& [id, text] : by_id(lines)) {
    if (!has_summary_text(text)) {
      continue;
    }
    json payload = json::parse(text);
    json expected = json::parse(plain.at(id));
    expected["summary"] = "the model says so";
    expected["summary_by"] = "model";
    if (payload["tier"] == "heavy") {
      expected["rule_outcome"] = expected["outcome"];
      expected["outcome"] = "partial";
    }
    CHECK(payload == expected);
    CHECK(text.starts_with(R"({"type":"assessment","tier":)"));
  }
  CHECK(consumer->conflicts() == 0);
}

TEST_CASE("summaries: where the model fails the rule's are told, with the reason",
          "[assessment][model]") {
  Day day;
  const auto consumer = day.open(Offset(0), Patterns(), model("echo no money >&2; exit 3"));
  day.feed(*consumer, 0, day.length);
  day.wait_for_results(plain_day().size());
  const Lines lines = day.results();
  check_same_but_for_summaries(lines);
  const auto plain = by_id(plain_day());
  for (const auto& [id, text] : by_id(lines)) {
    if (has_summary_text(text)) {
      json expected = json::parse(plain.at(id));
      expected["summary_by"] = "extractive";
      expected["backend_error"] = "exit status 3: no money";
      CHECK(json::parse(text) == expected);
    }
  }
}

TEST_CASE("summaries: a model that hangs holds back no other result and no commit",
          "[assessment][model]") {
  Day day;
  const auto consumer = day.open(Offset(0), Patterns(), model(kHangs));
  day.feed(*consumer, 0, day.length);
  CHECK(day.settle(*consumer, day.length) == Offset(day.length));
  CHECK(day.results().size() == plain_day().size() - count_plain_summaries());
  CHECK(head_of(day)["asked"].size() == count_plain_summaries());
}

TEST_CASE("summaries: what was asked and not answered is asked again after a restart",
          "[assessment][model]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0), Patterns(), model(kHangs));
    day.feed(*consumer, 0, day.length);
    day.settle(*consumer, day.length);
  }
  const auto consumer = day.open(Offset(day.length), Patterns(), model(kGood));
  day.wait_for_results(plain_day().size());
  check_same_but_for_summaries(day.results());
  const std::uint64_t end = day.log->end().value();
  // The last answer is in the log before it is crossed off; its own event tells of it.
  day.feed(*consumer, day.length, end);
  while (head_of(day).contains("asked")) {
    day.append(R"({"type":"x"})");
    day.settle(*consumer, day.log->end().value());
  }
  CHECK(consumer->conflicts() == 0);
}

TEST_CASE("summaries: where there is no model any more the rule's are told as ever",
          "[assessment][model]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0), Patterns(), model(kHangs));
    day.feed(*consumer, 0, day.length);
    day.settle(*consumer, day.length);
  }
  const auto consumer = day.open(Offset(day.length));
  day.settle(*consumer, day.length);
  day.wait_for_results(plain_day().size());
  CHECK(by_id(day.results()) == by_id(plain_day()));
}

TEST_CASE("summaries: beyond so many that wait the rule's are told at once",
          "[assessment][model]") {
  Day day;
  BackendOptions options = model(kHangs);
  options.waiting_max = 2;
  const auto consumer = day.open(Offset(0), Patterns(), options);
  day.feed(*consumer, 0, day.length);
  day.settle(*consumer, day.length);
  CHECK(head_of(day)["asked"].size() == 2);
  const Lines lines = day.results();
  CHECK(lines.size() == plain_day().size() - 2);
  for (const auto& [id, text] : by_id(lines)) {
    if (has_summary_text(text)) {
      CHECK(json::parse(text)["backend_error"] == "too many summaries wait for the model");
    }
  }
}

TEST_CASE("summaries: nobody is asked about what the log has already", "[assessment][model]") {
  const test::TempDir dir;
  Day day;
  {
    const auto consumer = day.open(Offset(0), Patterns(), model(kGood));
    day.feed(*consumer, 0, day.length);
    day.wait_for_results(plain_day().size());
  }
  const Lines once = day.results();
  {
    const auto again =
        day.open(Offset(0), Patterns(), model("echo >> " + dir.path().string() + "/$$; " + kGood));
    day.feed(*again, 0, day.length);
    day.settle(*again, day.length);
    CHECK(again->conflicts() == 0);
    CHECK(!head_of(day).contains("asked"));
    CHECK(day.results() == once);
    // Something new is asked about, after whatever was asked before it.
    const std::uint64_t from = day.log->end().value();
    for (int i = 0; i < 10; ++i) {
      day.append(R"({"type":"user_input","session_id":"new","source":"cli","content":"question )" +
                 std::to_string(i) + "\"}");
    }
    day.feed(*again, from, from + 10);
    (void)day.log->signal().wait_beyond(Offset(from + 10), {}, std::chrono::hours(1));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("summaries: nobody is asked about what came into the log after the state was written",
          "[assessment][model]") {
  const test::TempDir dir;
  const auto asked = dir.path() / "asked";
  Day day;
  {
    const auto consumer = day.open(Offset(0), Patterns(), model(kHangs));
    day.feed(*consumer, 0, day.length);
    day.settle(*consumer, day.length);
  }
  const std::string state = state_of(day);
  {
    const auto consumer = day.open(Offset(day.length));
    day.wait_for_results(plain_day().size());
  }
  const auto bytes = std::as_bytes(std::span(state));
  day.disk.set_contents(kState, {bytes.begin(), bytes.end()});
  const Lines once = day.results();
  {
    const auto again = day.open(Offset(day.length), Patterns(), model("touch " + asked.string()));
    day.append(R"({"type":"x"})");
    day.settle(*again, day.log->end().value());
  }
  CHECK(by_id(once) == by_id(plain_day()));
  CHECK(day.log->end().value() == day.length + once.size() + 1);
  CHECK(!std::filesystem::exists(asked));
}

TEST_CASE("summaries: without a model what one has said stays", "[assessment][model]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0), Patterns(), model(kGood));
    day.feed(*consumer, 0, day.length);
    day.wait_for_results(plain_day().size());
  }
  const Lines once = day.results();
  const auto again = day.open(Offset(0));
  day.feed(*again, 0, day.length);
  day.settle(*again, day.length);
  CHECK(day.results() == once);
}

TEST_CASE("summaries: a state of before there were models is taken", "[assessment][model]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, 500);
    day.settle(*consumer, 500);
  }
  std::string state = state_of(day);
  const std::size_t newline = state.find('\n');
  json assessor = json::parse(state.substr(newline));
  REQUIRE(!assessor["sessions"].empty());
  for (auto& session : assessor["sessions"]) {
    session.erase("checkpoint_ids");
  }
  state = state.substr(0, newline + 1) + assessor.dump();
  const auto bytes = std::as_bytes(std::span(state));
  day.disk.set_contents(kState, {bytes.begin(), bytes.end()});
  const auto consumer = day.open(Offset(500));
  day.feed(*consumer, 500, day.length);
  day.settle(*consumer, day.length);
  CHECK(by_id(day.results()) == by_id(plain_day()));
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_CASE("summaries: the model is given what was said, as data and within bounds",
          "[assessment][model]") {
  const test::TempDir dir;
  Day day;
  const std::uint64_t from = day.length;
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    day.append(R"({"type":"user_input","session_id":"new","source":"cli","content":"question )" +
               n + " " + std::string(20'000, 'q') + " $(touch " + (dir.path() / "run").string() +
               ")\"}");
    day.append(
        R"({"type":"claude","session_id":"new","event":{"type":"text_delta","text":"answer "}})");
    day.append(R"({"type":"claude","session_id":"new","event":{"type":"text_delta","text":")" + n +
               " in two parts\"}}");
    day.append(
        R"({"type":"claude","session_id":"new","event":{"type":"turn_complete","usage":{"input_tokens":1,"output_tokens":1}}})");
  }
  day.append(R"({"type":"session_removed","session_id":"new","reason":"killed"})");
  const std::uint64_t end = day.log->end().value();
  const auto consumer =
      day.open(Offset(from), Patterns(),
               model("tee " + dir.path().string() +
                     "/prompt-$$ >/dev/null; echo '{\"summary\":\"told by the model\"}'"));
  day.feed(*consumer, from, end);
  // One checkpoint at the tenth prompt, one verdict, which comes last.
  for (Offset seen(end);;) {
    const Lines lines = day.results();
    if (std::ranges::any_of(lines, [](const auto& line) {
          return line.find("\"tier\":\"heavy\"") != std::string::npos;
        })) {
      break;
    }
    seen = day.log->signal().wait_beyond(seen, {}, std::chrono::hours(1));
  }
  std::vector<std::string> prompts;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    prompts.push_back(read_file(entry.path()));
  }
  REQUIRE(prompts.size() == 2);  // and nothing of an event was run
  if (prompts[0].find("Summarise a stretch") == std::string::npos) {
    std::swap(prompts[0], prompts[1]);
  }
  CHECK(prompts[0].size() <= limits::kBackendPromptBytesMax);
  CHECK(prompts[0].size() > limits::kBackendPromptBytesMax / 3);
  CHECK(prompts[0].find("is data") != std::string::npos);
  CHECK(prompts[0].find("PERSON: question 0 qqq") != std::string::npos);
  CHECK(prompts[0].find("AGENT: answer 8 in two parts\n") != std::string::npos);
  CHECK(prompts[0].find("PERSON: question 9 qqq") != std::string::npos);
  CHECK(prompts[1].find("Summarise how a session") == 0);
  CHECK(prompts[1].find("COUNTED: {") != std::string::npos);
  CHECK(prompts[1].find("CHECKPOINT: told by the model\n") != std::string::npos);
}

}  // namespace
}  // namespace vibes::consumers::assessment
