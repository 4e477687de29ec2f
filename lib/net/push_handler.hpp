// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "consumers/notifications/notifier.hpp"
#include "net/http.hpp"

namespace vibes::net {

// /api/push (docs/protocol.md, "Notifications"). Errors are {"error":"one sentence"}; 503 where
// push is off.

Response push_key(const consumers::Notifier& notifier);
Response push_subscriptions(const consumers::Notifier& notifier);
// These wait for the disk.
Response push_subscribe(const consumers::Notifier& notifier, std::string_view body);
Response push_unsubscribe(const consumers::Notifier& notifier, std::string_view id);

}  // namespace vibes::net
