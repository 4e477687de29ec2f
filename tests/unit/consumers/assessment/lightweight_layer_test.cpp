// SPDX-License-Identifier: MIT
#include "consumers/assessment/lightweight_layer.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

Message make(Kind kind, std::string text, Message::Success success = Message::Success::ok) {
  Message message;
  message.kind = kind;
  message.text = std::move(text);
  message.success = success;
  return message;
}

std::string six(double value) { return fmt::format("{:.6f}", value); }

class Layer {
 public:
  Reading read(const Message& message, Repetition repetition = Repetition::none) {
    const Reading reading = layer_.read(message, repetition, mood);
    mood = reading.after;
    return reading;
  }
  Mood mood;

 private:
  LightweightLayer layer_{Patterns()};
};

TEST_CASE("lightweight: two negatives, then nothing: 0.12, 0.096", "[assessment]") {
  Layer layer;
  const auto reading = layer.read(make(Kind::prompt, "I keep getting an error, it failed again"));
  CHECK(reading.negatives == 2);
  CHECK(six(layer.mood.frustration) == "0.120000");
  layer.read(make(Kind::prompt, "please look at the parser"));
  CHECK(six(layer.mood.frustration) == "0.096000");
}

TEST_CASE("lightweight: four negatives a message approach one", "[assessment]") {
  Layer layer;
  for (const std::string_view expected :
       {"0.200000", "0.360000", "0.488000", "0.590400", "0.672320", "0.737856"}) {
    layer.read(make(Kind::prompt, "error, failed, wrong and broken"));
    CHECK(six(layer.mood.frustration) == expected);
  }
  CHECK(six(layer.mood.success) == "0.000000");
}

TEST_CASE("lightweight: a failed tool frustrates, a passed build is a success", "[assessment]") {
  Layer layer;
  auto reading = layer.read(make(Kind::tool_result, "oops", Message::Success::failed));
  CHECK(reading.tool_failures == 1);
  CHECK(six(layer.mood.frustration) == "0.060000");
  reading = layer.read(make(Kind::tool_result, "test result: ok. 7 passed; 0 failed"));
  CHECK(reading.milestone == Milestone::passed);
  CHECK(six(layer.mood.success) == "0.060000");
}

TEST_CASE("lightweight: what a tool prints is nobody's mood", "[assessment]") {
  Layer layer;
  const auto reading = layer.read(make(Kind::tool_result, "an error, great"));
  CHECK(reading.signals.empty());
}

TEST_CASE("lightweight: an error of the agent is certain, a pattern is not", "[assessment]") {
  Layer layer;
  auto reading = layer.read(make(Kind::error, "Overloaded"));
  REQUIRE(reading.signals.size() == 1);
  CHECK(reading.signals[0].label == "error_event");
  CHECK(reading.signals[0].confidence == 1.0);
  reading = layer.read(make(Kind::prompt, "wrong"));
  CHECK(reading.signals[0].confidence == 0.8);
}

TEST_CASE("lightweight: only a person corrects", "[assessment]") {
  Layer layer;
  CHECK(layer.read(make(Kind::prompt, "No, the other one")).corrections == 1);
  CHECK(layer.read(make(Kind::agent_text, "No, the other one")).corrections == 0);
  CHECK(layer.read(make(Kind::prompt, "x"), Repetition::verbatim).retries == 1);
}

TEST_CASE("lightweight: a test run that left with a status has not passed", "[assessment]") {
  Layer layer;
  const auto reading = layer.read(make(Kind::tool_result, "12 passed", Message::Success::failed));
  CHECK(reading.milestone == Milestone::failed);
}

}  // namespace
}  // namespace vibes::consumers::assessment
