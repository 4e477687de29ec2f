// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "consumers/assessment/circuit_breaker.hpp"
#include "consumers/assessment/lightweight_layer.hpp"

namespace vibes::consumers::assessment {

enum class SessionOutcome : std::uint8_t { success, partial, failure, abandoned };
std::string_view to_string(SessionOutcome outcome);
enum class Trajectory : std::uint8_t { improving, steady, worsening };
std::string_view to_string(Trajectory trajectory);

/// What ended a session.
enum class SessionEnd : std::uint8_t { session_removed, session_end, idle, evicted };
std::string_view to_string(SessionEnd end);

/// What is kept of a whole session for its verdict. The members are its whole state.
struct SessionRecord {
  void take(const Message& message, const Reading& reading);

  std::uint64_t messages = 0;
  std::uint64_t prompts = 0;
  std::uint64_t tool_results = 0;
  std::uint64_t tool_failures = 0;
  std::uint64_t commits = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double frustration_sum = 0;
  double frustration_peak = 0;
  std::string asked;            // the first prompt, shortened
  std::int64_t last_word = 0;   // of the last prompt: 1 positive, -1 negative
  std::int64_t last_build = 0;  // 1 passed, -1 failed
  std::int64_t unanswered = 0;  // 1: the agent has not finished a turn since the last prompt
};

struct SessionVerdict {
  SessionOutcome outcome = SessionOutcome::partial;
  Trajectory trajectory = Trajectory::steady;
  std::string summary;
};

/// The same for the same record.
SessionVerdict judge_session(const SessionRecord& record, const CircuitBreaker& breaker, Mood mood,
                             SessionEnd end);

/// Whether a session gets a verdict at all: the first ten do, then those that went badly and a
/// fifth of the others, chosen by their id. `ended` counts the sessions that ended before.
bool is_sampled(std::string_view session, std::uint64_t ended, const SessionRecord& record,
                const CircuitBreaker& breaker);

}  // namespace vibes::consumers::assessment
