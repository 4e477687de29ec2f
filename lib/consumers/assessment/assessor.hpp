// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "consumers/assessment/checkpoint_manager.hpp"
#include "consumers/assessment/circuit_breaker.hpp"
#include "consumers/assessment/lightweight_layer.hpp"
#include "consumers/assessment/patterns.hpp"
#include "consumers/assessment/results.hpp"
#include "consumers/assessment/session_input.hpp"
#include "consumers/assessment/session_verdict.hpp"
#include "event/event.hpp"

namespace vibes::consumers::assessment {

/// What is kept of a session while it is assessed. All but the last member is saved.
struct AssessedSession {
  SessionInput input;
  Mood mood;
  CircuitBreaker breaker;
  CheckpointManager checkpoints;
  SessionRecord record;
  std::int64_t last_us = 0;                 // of its last event of any kind
  std::string last_event;                   // and the id of that
  std::uint64_t paused = 0;                 // 1: its pause has been noticed
  std::vector<std::string> checkpoint_ids;  // the event_ids of its newest mediums
  std::int64_t due_us = 0;                  // its entry among the deadlines
};

/// Folds the events of a log, in their order, into assessments and interventions. Knows no clock
/// but the events' own and no randomness: the same events give the same results, byte for byte,
/// also when the state was saved and loaded in between. Ignores what it made itself. Bounded in
/// memory. Not thread-safe: one thread feeds it.
class Assessor {
 public:
  using EventResults = std::vector<AssessmentResult>;

  explicit Assessor(Patterns patterns, std::size_t sessions_max = limits::kAssessedSessionsMax)
      : layer_(std::move(patterns)), sessions_max_(sessions_max) {}

  /// Whether events of this type are its own, or tell what became of them: they change nothing.
  static bool ignores(std::string_view type);

  /// The events to append because of this one, in order. Errors: Errc::bad_payload; then nothing
  /// has changed, and the event is to be left out.
  Result<EventResults> fold(const event::EventView& event);

  /// The state as a JSON document.
  [[nodiscard]] std::string save() const;
  /// Replaces the state by a saved one. Errors: Errc::bad_state; then nothing has changed.
  Result<void> load(std::string_view json);

  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  using Sessions = std::map<std::string, AssessedSession, std::less<>>;

  Sessions::iterator open(std::string_view session, EventResults& results);
  void touch(Sessions::iterator at, const event::EventView& event);
  void hear(Sessions::iterator at, const Heard& heard, EventResults& results);
  static void tell(AssessedSession& session, const Trigger& trigger, const Checkpoint& checkpoint,
                   EventResults& results);
  void notice_quiet(EventResults& results);
  void quiet(Sessions::iterator at, EventResults& results);
  void end(Sessions::iterator at, SessionEnd end, EventResults& results);
  void evict_quietest(EventResults& results);
  void plan(Sessions::iterator at);

  LightweightLayer layer_;
  std::size_t sessions_max_;
  Sessions sessions_;
  /// When each session may be quiet for long enough, never later than it is: one entry each.
  std::set<std::pair<std::int64_t, std::string>> deadlines_;
  std::int64_t now_us_ = 0;
  std::uint64_t ended_ = 0;  // sessions
};

}  // namespace vibes::consumers::assessment
