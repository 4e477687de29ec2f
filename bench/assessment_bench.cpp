// SPDX-License-Identifier: MIT
// How many messages a second one core assesses: the lightweight layer alone, and the whole fold of
// stored events, whose JSON has to be read.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "consumers/assessment/assessor.hpp"
#include "event/codec.hpp"
#include "options.hpp"
#include "report.hpp"

namespace {

using namespace vibes;
using namespace vibes::consumers::assessment;
using Clockwork = std::chrono::steady_clock;

constexpr std::size_t kSessions = 100;

const std::vector<std::string> kTexts{
    "please look at the parser and tell me why it is slow",
    "I keep getting an error, it failed again",
    "The two places round differently: the cart rounds the total, the invoice each line. I will "
    "make both round the total, and add a test with order 4711.",
    "Perfect, thanks. Commit it, please.",
    "that doesn’t work, and it is not great either: the second test can't find its file",
    "schema.sql と migrations/ を見て、インデックスを追加してください。"};

double per_second(std::uint64_t count, Clockwork::time_point start) {
  return static_cast<double>(count) /
         std::chrono::duration<double>(Clockwork::now() - start).count();
}

/// Reads every text in turn, as messages of one session.
double measure_layer(std::uint64_t count) {
  LightweightLayer layer{Patterns()};
  std::vector<Message> messages(kTexts.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].kind = Message::Kind::prompt;
    messages[i].text = kTexts[i];
  }
  Mood mood;
  const auto start = Clockwork::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    mood = layer.read(messages[i % messages.size()], Repetition::none, mood).after;
  }
  return per_second(count, start);
}

double measure_fold(std::uint64_t count, std::size_t patterns_added) {
  ExtraPatterns extra;
  for (std::size_t i = 0; i < patterns_added; ++i) {
    extra.negative.push_back(fmt::format("pattern{}*", i));
    extra.positive.push_back(fmt::format("the pattern{}", i));
  }
  Assessor assessor{*Patterns::make(extra)};
  std::vector<std::string> payloads;
  std::vector<std::string> sessions;
  for (std::size_t i = 0; i < kSessions; ++i) {
    sessions.push_back(fmt::format("session-{}", i));
    std::string payload = R"({"type":"user_input","session_id":")" + sessions.back() +
                          R"(","source":"cli","content":)";
    event::append_json_string(payload, kTexts[i % kTexts.size()] + fmt::format(" {}", i));
    payloads.push_back(payload + "}");
  }
  const auto start = Clockwork::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t which = i % kSessions;
    Uuid id = kUrlNamespace;
    id.bytes[0] = static_cast<std::uint8_t>(i);
    const event::EventView view{Offset(i),
                                id,
                                Timestamp{static_cast<std::int64_t>(i) * 10'000},
                                "user_input",
                                sessions[which],
                                payloads[which]};
    VIBES_ASSERT(assessor.fold(view).has_value());
  }
  return per_second(count, start);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"How many messages a second one core assesses"};
  std::uint64_t count = 500'000;
  app.add_option("--count", count, "Messages in each run")->check(CLI::PositiveNumber);
  const std::string json = bench::parse_or_exit(app, argc, argv);
  return bench::report("assessment",
                       {{"lightweight layer", measure_layer(count), "1/s"},
                        {"whole fold", measure_fold(count, 0), "1/s"},
                        {"whole fold, 128 more patterns",
                         measure_fold(count, limits::kAssessmentPatternsMax), "1/s"}},
                       json);
}
