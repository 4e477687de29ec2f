// SPDX-License-Identifier: MIT
#include "consumers/assessment/circuit_breaker.hpp"

#include <bit>

#include "base/limits.hpp"

namespace vibes::consumers::assessment {
namespace {

constexpr double kPerNegative = 0.8;
constexpr double kPerToolFailure = 0.5;
// Three negatives open the breaker however their sum is rounded.
constexpr double kOpenAt = 2.4 - 1e-9;
constexpr std::int64_t kHalfLifeUs = 60'000'000;
constexpr std::int64_t kOpenForUs = 120'000'000;
constexpr unsigned kFailuresInRow = 3;
constexpr unsigned kCorrections = 3;
constexpr unsigned kSpokenMask = 0b11111;  // corrections among the last five

constexpr Intervention kClarification{
    InterventionKind::clarification_pause, "what was asked for was corrected or asked again",
    "The user has had to correct or repeat the request. Stop, say in one or two sentences what you "
    "understand the goal to be, and ask before you go on."};
constexpr Intervention kPivot{
    InterventionKind::approach_pivot, "several tool calls failed in a row",
    "Several tool calls failed in a row. Do not try the same thing again: find out why they failed "
    "and choose another approach."};
constexpr Intervention kCheckIn{
    InterventionKind::explicit_check_in, "frustration is building up",
    "The session is not going well. Sum up what works and what does not, and ask the user how to "
    "go on."};

}  // namespace

std::string_view to_string(InterventionKind kind) {
  switch (kind) {
    case InterventionKind::clarification_pause:
      return "clarification_pause";
    case InterventionKind::approach_pivot:
      return "approach_pivot";
    case InterventionKind::explicit_check_in:
      return "explicit_check_in";
  }
  return "unknown";
}

std::string_view to_string(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed:
      return "closed";
    case CircuitBreaker::State::open:
      return "open";
    case CircuitBreaker::State::half_open:
      return "half_open";
  }
  return "unknown";
}

std::optional<Intervention> CircuitBreaker::take(const Message& message, const Reading& reading,
                                                 Timestamp time) {
  age(time);
  count(message, reading, time);
  if (state == State::open) {
    return std::nullopt;
  }
  std::optional<InterventionKind> why = cause(reading);
  if (state == State::half_open && !why && reading.negatives > 0) {
    why = InterventionKind::explicit_check_in;
  }
  if (why) {
    open(time);
    return intervene(*why);
  }
  if (state == State::half_open && reading.positives > 0) {
    close();
  }
  return std::nullopt;
}

void CircuitBreaker::age(Timestamp time) {
  while (score > 0 && time.unix_us - halved_us >= kHalfLifeUs) {
    score /= 2;
    halved_us += kHalfLifeUs;
    if (score < 1e-6) {
      score = 0;
    }
  }
  if (state == State::open && time.unix_us - opened_us >= kOpenForUs) {
    state = State::half_open;
  }
}

void CircuitBreaker::count(const Message& message, const Reading& reading, Timestamp time) {
  ++messages;
  if (score <= 0) {
    halved_us = time.unix_us;
  }
  score += kPerNegative * reading.negatives + kPerToolFailure * reading.tool_failures;
  if (message.kind == Message::Kind::tool_result) {
    failures_in_row = reading.tool_failures > 0 ? failures_in_row + 1 : 0;
  } else {
    spoken = ((spoken << 1U) | (reading.corrections > 0 ? 1U : 0U)) & kSpokenMask;
  }
}

std::optional<InterventionKind> CircuitBreaker::cause(const Reading& reading) const {
  if (reading.retries > 0 || std::popcount(spoken) >= static_cast<int>(kCorrections)) {
    return InterventionKind::clarification_pause;
  }
  if (failures_in_row >= kFailuresInRow) {
    return InterventionKind::approach_pivot;
  }
  // Half open, the score is what is left of before: only something new opens it again.
  if (state == State::closed && score >= kOpenAt) {
    return InterventionKind::explicit_check_in;
  }
  return std::nullopt;
}

void CircuitBreaker::open(Timestamp time) {
  state = State::open;
  opened_us = time.unix_us;
  failures_in_row = 0;
  spoken = 0;
  ++openings;
}

void CircuitBreaker::close() {
  state = State::closed;
  score = 0;
}

std::optional<Intervention> CircuitBreaker::intervene(InterventionKind kind) {
  const bool too_soon =
      interventions > 0 && messages - intervened_at < limits::kInterventionSpacing;
  if (interventions >= limits::kInterventionsMax || too_soon) {
    ++held_back;
    return std::nullopt;
  }
  ++interventions;
  intervened_at = messages;
  switch (kind) {
    case InterventionKind::clarification_pause:
      return kClarification;
    case InterventionKind::approach_pivot:
      return kPivot;
    case InterventionKind::explicit_check_in:
      return kCheckIn;
  }
  return std::nullopt;
}

}  // namespace vibes::consumers::assessment
