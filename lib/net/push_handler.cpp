// SPDX-License-Identifier: MIT
#include "net/push_handler.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace vibes::net {
namespace {

using nlohmann::json;

Response push_error(int status, const std::string& message) {
  return {.status = status,
          .body = json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Response push_is_off() { return push_error(503, "Push notifications not configured"); }

/// The rest of an endpoint is a secret of its browser's.
std::string preview(const std::string& endpoint) {
  const auto parsed = consumers::parse_endpoint(endpoint);
  return (parsed ? parsed->root : std::string()) + "/...";
}

}  // namespace

Response push_key(const consumers::Notifier& notifier) {
  const auto& push = notifier.options().push;
  return push ? Response{.body = json{{"public_key", push->public_key()}}.dump()} : push_is_off();
}

Response push_subscriptions(const consumers::Notifier& notifier) {
  const auto& push = notifier.options().push;
  if (!push) {
    return push_is_off();
  }
  json subscriptions = json::array();
  for (const consumers::PushSubscription& one : push->subscriptions().list()) {
    subscriptions.push_back({{"id", one.id},
                             {"endpoint_preview", preview(one.endpoint)},
                             {"created_at", format_rfc3339(one.created)}});
  }
  const std::size_t count = subscriptions.size();
  return {.body = json{{"count", count}, {"subscriptions", std::move(subscriptions)}}.dump()};
}

Response push_subscribe(const consumers::Notifier& notifier, std::string_view body) {
  const auto& push = notifier.options().push;
  if (!push) {
    return push_is_off();
  }
  const auto id = push->subscribe(body);
  if (id) {
    return {.status = 201, .body = json{{"id", *id}}.dump()};
  }
  if (id.error().code == std::errc::invalid_argument) {
    return push_error(400, id.error().context);
  }
  return push_error(id.error().code == std::errc::too_many_files_open ? 429 : 500,
                    id.error().context);
}

Response push_unsubscribe(const consumers::Notifier& notifier, std::string_view id) {
  const auto& push = notifier.options().push;
  if (!push) {
    return push_is_off();
  }
  const auto removed = push->unsubscribe(id);
  if (!removed) {
    return push_error(500, removed.error().context);
  }
  return *removed ? Response{.status = 204} : push_error(404, "Subscription not found");
}

}  // namespace vibes::net
