// SPDX-License-Identifier: MIT
#include "consumers/notifications/subscription_store.hpp"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "consumers/notifications/base64url.hpp"
#include "consumers/notifications/member.hpp"
#include "consumers/notifications/state_file.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

json to_json(const PushSubscription& one) {
  return {{"endpoint", one.endpoint},
          {"p256dh", encode_base64url(one.keys.p256dh)},
          {"auth", encode_base64url(one.keys.auth)},
          {"user_agent", one.user_agent},
          {"created_at", format_rfc3339(one.created)}};
}

std::string id_of(std::string_view endpoint) {
  return to_string(name_uuid(kUrlNamespace, endpoint));
}

std::optional<PushSubscription> from_json(const json& kept) {
  const auto p256dh = decode_base64url(text_member(kept, "p256dh"));
  const auto auth = decode_base64url(text_member(kept, "auth"));
  const auto created = parse_rfc3339(text_member(kept, "created_at"));
  std::string endpoint = text_member(kept, "endpoint");
  if (!p256dh || !auth || !created || endpoint.empty()) {
    return std::nullopt;
  }
  std::string id = id_of(endpoint);
  return PushSubscription{.id = std::move(id),
                          .endpoint = std::move(endpoint),
                          .keys = {*p256dh, *auth},
                          .user_agent = text_member(kept, "user_agent"),
                          .created = *created};
}

}  // namespace

Result<std::unique_ptr<SubscriptionStore>> SubscriptionStore::open(std::filesystem::path file) {
  std::unique_ptr<SubscriptionStore> store(new SubscriptionStore(std::move(file)));
  if (store->file_.empty()) {
    return store;
  }
  VIBES_TRY_ASSIGN(text, read_state_file(store->file_));
  if (!text) {
    return store;
  }
  const auto bad = [&store] {
    return fail(std::make_error_code(std::errc::invalid_argument),
                store->file_.string() + ": no list of subscriptions; move it away");
  };
  const json kept = json::parse(*text, nullptr, false);
  if (!kept.is_array()) {
    return bad();
  }
  const MutexLock lock(store->mutex_);
  for (const json& one : kept) {
    auto subscription = from_json(one);
    if (!subscription) {
      return bad();
    }
    std::string id = subscription->id;
    store->subscriptions_.insert_or_assign(std::move(id), *std::move(subscription));
  }
  return store;
}

Result<std::string> SubscriptionStore::add(PushSubscription subscription) {
  subscription.id = id_of(subscription.endpoint);
  const MutexLock lock(mutex_);
  Subscriptions changed = subscriptions_;
  changed.insert_or_assign(subscription.id, subscription);
  if (changed.size() > limits::kPushSubscriptionsMax) {
    return fail(std::make_error_code(std::errc::too_many_files_open), "too many subscriptions");
  }
  VIBES_TRY(save(changed));
  subscriptions_ = std::move(changed);
  return subscription.id;
}

Result<bool> SubscriptionStore::remove(std::string_view id) {
  const MutexLock lock(mutex_);
  Subscriptions changed = subscriptions_;
  const auto found = changed.find(id);
  if (found == changed.end()) {
    return false;
  }
  changed.erase(found);
  VIBES_TRY(save(changed));
  subscriptions_ = std::move(changed);
  return true;
}

std::vector<PushSubscription> SubscriptionStore::list() const {
  const MutexLock lock(mutex_);
  std::vector<PushSubscription> all;
  for (const auto& [id, subscription] : subscriptions_) {
    all.push_back(subscription);
  }
  return all;
}

Result<void> SubscriptionStore::save(const Subscriptions& subscriptions) const {
  if (file_.empty()) {
    return {};
  }
  json kept = json::array();
  for (const auto& [id, subscription] : subscriptions) {
    kept.push_back(to_json(subscription));
  }
  return write_state_file(file_, kept.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace vibes::consumers
