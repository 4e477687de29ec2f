// SPDX-License-Identifier: MIT
#include "consumers/assessment/session_verdict.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "consumers/assessment/checkpoint_manager.hpp"
#include "consumers/assessment/text_hash.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

constexpr std::uint64_t kAlwaysFirst = 10;
constexpr std::uint64_t kOneIn = 5;
constexpr double kFrustrated = 0.7;
constexpr double kFailing = 0.5;
constexpr double kTrend = 0.05;  // below it two averages are the same
constexpr std::size_t kQuoteBytes = 120;

SessionOutcome outcome_of(const SessionRecord& record, const CircuitBreaker& breaker, Mood mood,
                          SessionEnd end) {
  const bool dropped = end == SessionEnd::idle || end == SessionEnd::evicted;
  if (record.prompts == 0 || (record.unanswered != 0 && record.last_word <= 0 && dropped)) {
    return SessionOutcome::abandoned;
  }
  if (mood.frustration >= kFailing || breaker.state == CircuitBreaker::State::open ||
      (record.last_word < 0 && record.commits == 0)) {
    return SessionOutcome::failure;
  }
  const bool good = record.last_word > 0 || record.commits > 0 || record.last_build > 0;
  return good && record.last_word >= 0 && record.last_build >= 0 ? SessionOutcome::success
                                                                 : SessionOutcome::partial;
}

Trajectory trajectory_of(const SessionRecord& record, Mood mood) {
  const double mean =
      record.messages == 0 ? 0 : record.frustration_sum / static_cast<double>(record.messages);
  if (mood.frustration > mean + kTrend) {
    return Trajectory::worsening;
  }
  return mood.frustration < mean - kTrend ? Trajectory::improving : Trajectory::steady;
}

}  // namespace

std::string_view to_string(SessionOutcome outcome) {
  switch (outcome) {
    case SessionOutcome::success:
      return "success";
    case SessionOutcome::partial:
      return "partial";
    case SessionOutcome::failure:
      return "failure";
    case SessionOutcome::abandoned:
      return "abandoned";
  }
  return "unknown";
}

std::string_view to_string(Trajectory trajectory) {
  switch (trajectory) {
    case Trajectory::improving:
      return "improving";
    case Trajectory::steady:
      return "steady";
    case Trajectory::worsening:
      return "worsening";
  }
  return "unknown";
}

std::string_view to_string(SessionEnd end) {
  switch (end) {
    case SessionEnd::session_removed:
      return "session_removed";
    case SessionEnd::session_end:
      return "session_end";
    case SessionEnd::idle:
      return "idle";
    case SessionEnd::evicted:
      return "evicted";
  }
  return "unknown";
}

void SessionRecord::take(const Message& message, const Reading& reading) {
  ++messages;
  frustration_sum += reading.after.frustration;
  frustration_peak = std::max(frustration_peak, reading.after.frustration);
  if (message.kind == Kind::prompt) {
    ++prompts;
    unanswered = 1;
    const bool bad = reading.negatives + reading.corrections + reading.retries > 0;
    last_word = bad ? -1 : reading.positives > 0 ? 1 : 0;
    if (asked.empty()) {
      asked = first_line(message.text, kQuoteBytes);
    }
  } else if (message.kind == Kind::tool_result) {
    ++tool_results;
    tool_failures += reading.tool_failures;
    commits += reading.milestone == Milestone::commit ? 1 : 0;
    if (reading.milestone == Milestone::passed || reading.milestone == Milestone::failed) {
      last_build = reading.milestone == Milestone::passed ? 1 : -1;
    }
  } else if (message.kind == Kind::agent_text) {
    unanswered = 0;
  }
}

SessionVerdict judge_session(const SessionRecord& record, const CircuitBreaker& breaker, Mood mood,
                             SessionEnd end) {
  SessionVerdict verdict{.outcome = outcome_of(record, breaker, mood, end),
                         .trajectory = trajectory_of(record, mood),
                         .summary = {}};
  verdict.summary =
      fmt::format("{}, {}: {} prompts, {} tool calls, {} failed, {} commits.",
                  to_string(verdict.outcome), to_string(verdict.trajectory), record.prompts,
                  record.tool_results, record.tool_failures, record.commits);
  if (!record.asked.empty()) {
    verdict.summary += fmt::format(" Asked first: \"{}\".", record.asked);
  }
  return verdict;
}

bool is_sampled(std::string_view session, std::uint64_t ended, const SessionRecord& record,
                const CircuitBreaker& breaker) {
  return ended < kAlwaysFirst || breaker.openings > 0 || record.frustration_peak >= kFrustrated ||
         text_hash(session) % kOneIn == 0;
}

}  // namespace vibes::consumers::assessment
