// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "consumers/broadcaster.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/interventions/intervention_store.hpp"
#include "consumers/notifications/notifier.hpp"
#include "consumers/session_links.hpp"
#include "consumers/sessions/transcript_store.hpp"
#include "consumers/websocket_consumer.hpp"
#include "event/check.hpp"
#include "eventlog/event_log.hpp"
#include "net/append_budget.hpp"
#include "net/loop.hpp"
#include "net/router.hpp"
#include "session/session_registry.hpp"

namespace vibes::net {

/// What the routes serve. Everything outlives the server.
struct Services {
  eventlog::EventLog& log;
  consumers::Broadcaster& broadcaster;
  consumers::WebsocketConsumer& websocket_consumer;
  consumers::GroupRegistry& groups;
  consumers::SessionLinks& links;
  session::SessionRegistry& sessions;
  const consumers::TranscriptStore& transcripts;
  consumers::Notifier& notifier;
  AppendBudget& budget;
  const ConnectionCounts& counts;
  const Clock& clock;
  event::CheckOptions check;
  std::string version;          // of the program: "1.2.0"
  std::int64_t started_ns = 0;  // steady
  bool auth_required = true;
  consumers::InterventionStore* interventions = nullptr;  // nullptr: hooks are given none
};

}  // namespace vibes::net
