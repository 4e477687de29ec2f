// SPDX-License-Identifier: MIT
#pragma once

#include "base/clock.hpp"
#include "consumers/consumer.hpp"
#include "consumers/notifications/notifier.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

/// How often the handler should be ticked, to look for stalls.
inline constexpr std::chrono::milliseconds kLookForStallsEvery{1'000};

/// The consumer of the group `notifications`: sends what the triggers find, appends
/// `session.stalled`, and settles an event once every channel has taken it or given up. All must
/// outlive the handlers.
HandlerFactory notify(Notifier& notifier, eventlog::EventLog& log, const Clock& clock);

}  // namespace vibes::consumers
