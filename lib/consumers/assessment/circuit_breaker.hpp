// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "consumers/assessment/lightweight_layer.hpp"

namespace vibes::consumers::assessment {

enum class InterventionKind : std::uint8_t {
  clarification_pause,
  approach_pivot,
  explicit_check_in,
};
std::string_view to_string(InterventionKind kind);

struct Intervention {
  InterventionKind kind = InterventionKind::clarification_pause;
  std::string_view reason;
  std::string_view message;  // for the agent
};

/// Says when a session goes wrong badly enough to interrupt it. One per session, in event time. The
/// members are its whole state, so that it can be saved.
struct CircuitBreaker {
  enum class State : std::uint8_t { closed, open, half_open };

  /// Takes the next message of the session; its time is never before that of the one before.
  /// Returns the intervention that is due, if any.
  std::optional<Intervention> take(const Message& message, const Reading& reading, Timestamp time);

  State state = State::closed;
  double score = 0;
  std::int64_t halved_us = 0;  // when the score was last halved, or rose from nothing
  std::int64_t opened_us = 0;
  unsigned failures_in_row = 0;
  unsigned spoken = 0;  // one bit per message that was spoken: 1 is a correction
  std::uint64_t openings = 0;
  std::uint64_t interventions = 0;
  std::uint64_t messages = 0;
  std::uint64_t intervened_at = 0;  // the message of the last intervention
  std::uint64_t held_back = 0;      // openings without one, because of its limits

 private:
  void age(Timestamp time);
  void count(const Message& message, const Reading& reading, Timestamp time);
  std::optional<InterventionKind> cause(const Reading& reading) const;
  void open(Timestamp time);
  void close();
  std::optional<Intervention> intervene(InterventionKind kind);
};
std::string_view to_string(CircuitBreaker::State state);

}  // namespace vibes::consumers::assessment
