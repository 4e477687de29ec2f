// SPDX-License-Identifier: MIT
#include "consumers/notifications/web_push.hpp"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "consumers/notifications/base64url.hpp"
#include "consumers/notifications/member.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr std::size_t kUserAgentBytesMax = 256;

std::string payload_of(const Notification& n, std::string_view body) {
  const json payload = {
      {"title", n.title},
      {"body", body},
      {"icon", "/icon-192.png"},
      {"tag", n.tag},
      {"data", {{"url", n.url}, {"session_id", n.session_id}, {"event_type", n.event_type}}}};
  return payload.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A body full of escapes may be too long for one record: then it loses its end.
std::string fitting_payload(const Notification& n) {
  std::string payload = payload_of(n, n.body);
  for (std::size_t keep = n.body.size() / 2;
       payload.size() > limits::kPushPayloadBytesMax && keep > 0; keep /= 2) {
    payload = payload_of(n, std::string_view(n.body).substr(0, keep));
  }
  return payload;
}

Unexpected bad(std::string why) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(why));
}

}  // namespace

Result<std::unique_ptr<WebPush>> WebPush::open(const std::filesystem::path& directory,
                                               std::string subject, const Clock& clock) {
  const bool kept = !directory.empty();
  VIBES_TRY_ASSIGN(
      key, kept ? VapidKey::load_or_create(directory / "vapid_keys.json") : VapidKey::generate());
  VIBES_TRY_ASSIGN(store, SubscriptionStore::open(kept ? directory / "subscriptions.json"
                                                       : std::filesystem::path()));
  return std::unique_ptr<WebPush>(
      new WebPush(std::move(key), std::move(store), std::move(subject), clock));
}

Result<std::string> WebPush::subscribe(std::string_view text) {
  constexpr int kDepthMax = 3;
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= kDepthMax; };
  const json given = json::parse(text, shallow, false);
  if (!given.is_object() || !given.contains("keys")) {
    return bad(R"(send {"endpoint","keys":{"p256dh","auth"}})");
  }
  VIBES_TRY_ASSIGN(endpoint, parse_endpoint(text_member(given, "endpoint")));
  auto p256dh = decode_base64url(text_member(given["keys"], "p256dh"));
  auto auth = decode_base64url(text_member(given["keys"], "auth"));
  if (!p256dh || !auth) {
    return bad("keys.p256dh and keys.auth are base64url");
  }
  PushSubscription subscription{
      .endpoint = endpoint.url,
      .keys = {*std::move(p256dh), *std::move(auth)},
      .user_agent = text_member(given, "user_agent").substr(0, kUserAgentBytesMax),
      .created = clock_.now()};
  VIBES_TRY(encrypt_push(subscription.keys, ""));  // proves the keys
  return store_->add(std::move(subscription));
}

/// Signing costs about as much as all the rest of a request, so one signature serves for an hour.
Result<std::string> WebPush::authorization(const std::string& origin) const {
  constexpr std::int64_t kServesUs = 3'600'000'000;
  const Timestamp now = clock_.now();
  const MutexLock lock(mutex_);
  if (const auto found = passes_.find(origin); found != passes_.end()) {
    const std::int64_t age_us = now.unix_us - found->second.made.unix_us;
    if (age_us >= 0 && age_us < kServesUs) {
      return found->second.authorization;
    }
  }
  VIBES_TRY_ASSIGN(made, key_.authorization(origin, subject_, now));
  if (passes_.size() >= limits::kPushSubscriptionsMax) {
    passes_.clear();
  }
  passes_[origin] = {made, now};
  return made;
}

Result<Delivery> WebPush::delivery(const PushSubscription& to, const Notification& n) const {
  VIBES_TRY_ASSIGN(endpoint, parse_endpoint(to.endpoint));
  VIBES_TRY_ASSIGN(body, encrypt_push(to.keys, fitting_payload(n)));
  VIBES_TRY_ASSIGN(authorization, this->authorization(endpoint.root));
  const auto ttl = std::chrono::seconds(limits::kNotificationMaxAge).count();
  const bool urgent = n.event_type == "permission_needed" || n.event_type == "session_error";
  return Delivery{
      .endpoint = std::move(endpoint),
      .headers = {"Content-Type: application/octet-stream", "Content-Encoding: aes128gcm",
                  "Authorization: " + authorization, "TTL: " + std::to_string(ttl),
                  std::string("Urgency: ") + (urgent ? "high" : "normal")},
      .body = std::move(body)};
}

}  // namespace vibes::consumers
