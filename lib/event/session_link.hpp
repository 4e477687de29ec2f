// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "event/event.hpp"

namespace vibes::event {

/// What joins two sessions.
enum class SessionRelation : std::uint8_t {
  agent,     // one piece of work under two names: a PTY session and the agent that runs in it
  subagent,  // the upper one started the lower one
};

struct SessionLink {
  std::string_view session;  // the PTY's, or the one that started the other
  std::string_view linked;   // the agent's own, or the one that was started
  SessionRelation relation = SessionRelation::agent;
};

/// The event `session_linked`. Payload and event_id depend on the link alone, so that telling it
/// again is a duplicate and no second event. Both ids must be 1 to limits::kSessionBytesMax bytes.
NewEvent make_session_linked(const SessionLink& link);

}  // namespace vibes::event
