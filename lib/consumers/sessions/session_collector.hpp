// SPDX-License-Identifier: MIT
#pragma once

#include "consumers/consumer.hpp"
#include "consumers/sessions/transcript_store.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

/// The handler of the group `sessions`: folds every event into `store` and saves about twice a
/// second, less often while it catches up (SavePace), and at the stop. Events of a session whose
/// files are damaged become dead letters. Log and store must outlive the handlers.
HandlerFactory collect_sessions(TranscriptStore& store, eventlog::EventLog& log);

}  // namespace vibes::consumers
