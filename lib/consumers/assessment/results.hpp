// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "consumers/assessment/checkpoint_manager.hpp"
#include "consumers/assessment/circuit_breaker.hpp"
#include "consumers/assessment/lightweight_layer.hpp"
#include "consumers/assessment/session_verdict.hpp"
#include "event/event.hpp"

namespace vibes::consumers::assessment {

/// What a result is about. Its event_id is derived from the trigger's and its tier, so that a
/// replay makes the same bytes under the same ids, which the log then takes as duplicates.
struct Trigger {
  std::string_view session;
  Uuid event_id;
};

/// An event to append.
struct AssessmentResult : event::NewEvent {
  std::vector<Uuid> checkpoints;  // of a heavy: the session's newest mediums, oldest first
};

event::NewEvent make_lightweight(const Trigger& trigger, std::uint64_t number, Message::Kind kind,
                                 const Reading& reading, const CircuitBreaker& breaker);
event::NewEvent make_medium(const Trigger& trigger, const Checkpoint& checkpoint);
event::NewEvent make_heavy(const Trigger& trigger, SessionEnd end, const SessionRecord& record,
                           const CircuitBreaker& breaker, Mood mood);
event::NewEvent make_intervention(const Trigger& trigger, const Intervention& intervention);

}  // namespace vibes::consumers::assessment
