// SPDX-License-Identifier: MIT
#include "consumers/assessment/lightweight_layer.hpp"

#include <algorithm>

namespace vibes::consumers::assessment {
namespace {

constexpr double kConfidence = 0.8;

void add(Reading& reading, Signal::Kind kind, std::string_view label = {},
         double confidence = kConfidence) {
  reading.signals.push_back({kind, confidence, std::string(label)});
}

double average(double before, unsigned signals) {
  const double value = std::min(LightweightLayer::kPerSignal * signals, 1.0);
  return LightweightLayer::kAlpha * value + (1 - LightweightLayer::kAlpha) * before;
}

}  // namespace

Reading LightweightLayer::read(const Message& message, Repetition repetition, Mood before) {
  Reading reading;
  reading.before = before;
  if (message.kind == Message::Kind::tool_result) {
    read_tool(message, reading);
  } else if (message.kind == Message::Kind::error) {
    add(reading, Signal::Kind::negative, "error_event", 1.0);
    ++reading.negatives;
  } else {
    read_text(message, reading);
  }
  if (repetition == Repetition::verbatim) {
    add(reading, Signal::Kind::retry, {}, 1.0);
    ++reading.retries;
  }
  const unsigned passed = reading.milestone == Milestone::passed ? 1 : 0;
  reading.after.frustration =
      average(before.frustration, reading.negatives + reading.tool_failures);
  reading.after.success = average(before.success, reading.positives + passed);
  return reading;
}

void LightweightLayer::read_text(const Message& message, Reading& reading) {
  patterns_.scan(message.text, findings_);
  for (const std::string_view name : findings_.negative) {
    add(reading, Signal::Kind::negative, name);
  }
  for (const std::string_view name : findings_.positive) {
    add(reading, Signal::Kind::positive, name);
  }
  reading.negatives = static_cast<unsigned>(findings_.negative.size());
  reading.positives = static_cast<unsigned>(findings_.positive.size());
  // An agent that says "no, wait" corrects itself, not us.
  if (message.kind == Message::Kind::prompt &&
      findings_.correction == Findings::Correction::found) {
    add(reading, Signal::Kind::correction);
    ++reading.corrections;
  }
}

void LightweightLayer::read_tool(const Message& message, Reading& reading) {
  if (message.success == Message::Success::failed) {
    add(reading, Signal::Kind::tool_failure, message.tool_name, 1.0);
    ++reading.tool_failures;
  }
  reading.milestone = find_milestone(message.tool_name, message.text);
  if (reading.tool_failures > 0 && reading.milestone == Milestone::passed) {
    reading.milestone = Milestone::failed;  // some tests passed, but the program says it failed
  }
  if (reading.tool_failures > 0 && reading.milestone == Milestone::commit) {
    reading.milestone = Milestone::none;
  }
  if (reading.milestone == Milestone::passed) {
    add(reading, Signal::Kind::build_passed);
  } else if (reading.milestone == Milestone::failed) {
    add(reading, Signal::Kind::build_failed);
  }
}

}  // namespace vibes::consumers::assessment
