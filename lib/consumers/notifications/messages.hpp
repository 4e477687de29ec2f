// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "consumers/notifications/delivery.hpp"
#include "consumers/notifications/notification.hpp"

namespace vibes::consumers {

/// The request a webhook gets; with a secret also the header
/// "X-Vibes-Signature: sha256=" and the HMAC-SHA256 of the body in hexadecimal.
Delivery webhook_delivery(const Endpoint& endpoint, std::string_view secret,
                          const Notification& notification);

/// Where ntfy listens, and the topic: of https://ntfy.sh/topic.
struct NtfyTopic {
  Endpoint server;
  std::string topic;
};
/// Errors: std::errc::invalid_argument: no URL for an endpoint, or no topic in it.
Result<NtfyTopic> parse_ntfy_topic(std::string_view url);
Delivery ntfy_delivery(const NtfyTopic& topic, const Notification& notification);

}  // namespace vibes::consumers
