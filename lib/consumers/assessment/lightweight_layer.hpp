// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "consumers/assessment/message.hpp"
#include "consumers/assessment/milestone.hpp"
#include "consumers/assessment/patterns.hpp"

namespace vibes::consumers::assessment {

struct Signal {
  enum class Kind : std::uint8_t {
    negative,
    positive,
    tool_failure,
    correction,
    retry,
    build_passed,
    build_failed,
  };
  Kind kind = Kind::negative;
  double confidence = 0.8;
  std::string label;  // the pattern, or the tool's name; empty for the others
};

/// How a session feels: two exponential averages from 0 to 1.
struct Mood {
  double frustration = 0;
  double success = 0;
};

/// How a prompt stands to the one before it.
enum class Repetition : std::uint8_t { none, verbatim };

/// What one message says.
struct Reading {
  std::vector<Signal> signals;
  Mood before;
  Mood after;
  Milestone milestone = Milestone::none;
  unsigned negatives = 0;
  unsigned positives = 0;
  unsigned tool_failures = 0;
  unsigned corrections = 0;
  unsigned retries = 0;
};

/// Reads every message, without a model: patterns in what people and the agent say, failures and
/// milestones in what tools answer. Not thread-safe: it keeps its working memory.
class LightweightLayer {
 public:
  static constexpr double kAlpha = 0.2;
  static constexpr double kPerSignal = 0.3;

  explicit LightweightLayer(Patterns patterns) : patterns_(std::move(patterns)) {}

  Reading read(const Message& message, Repetition repetition, Mood before);

 private:
  void read_text(const Message& message, Reading& reading);
  static void read_tool(const Message& message, Reading& reading);

  Patterns patterns_;
  Findings findings_;
};

}  // namespace vibes::consumers::assessment
