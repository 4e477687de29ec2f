// SPDX-License-Identifier: MIT
#pragma once

#include "consumers/notifications/notifier.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// POST /api/notify/test: a test notification through every channel, answered once each has taken
/// it or given up, which may take a minute. 503 not_configured where there is no channel.
void send_test(consumers::Notifier& notifier, const Responder& to);

}  // namespace vibes::net
