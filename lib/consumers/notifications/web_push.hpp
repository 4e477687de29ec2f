// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "consumers/notifications/delivery.hpp"
#include "consumers/notifications/notification.hpp"
#include "consumers/notifications/subscription_store.hpp"
#include "consumers/notifications/vapid_key.hpp"

namespace vibes::consumers {

/// Browsers, and how to reach them: RFC 8030. Thread-safe.
class WebPush {
 public:
  /// Keeps vapid_keys.json and subscriptions.json in `directory`; an empty one: nothing is kept.
  static Result<std::unique_ptr<WebPush>> open(const std::filesystem::path& directory,
                                               std::string subject, const Clock& clock);

  [[nodiscard]] const std::string& public_key() const { return key_.public_key(); }
  [[nodiscard]] const SubscriptionStore& subscriptions() const { return *store_; }
  /// Checks the JSON a browser sends and takes it; returns its id. Errors:
  /// std::errc::invalid_argument, and those of SubscriptionStore::add().
  Result<std::string> subscribe(std::string_view json);
  Result<bool> unsubscribe(std::string_view id) { return store_->remove(id); }

  /// The request that brings `notification` to a browser.
  [[nodiscard]] Result<Delivery> delivery(const PushSubscription& to,
                                          const Notification& notification) const;

 private:
  /// What says who we are to one push service.
  struct Pass {
    std::string authorization;
    Timestamp made;
  };

  WebPush(VapidKey key, std::unique_ptr<SubscriptionStore> store, std::string subject,
          const Clock& clock)
      : key_(std::move(key)),
        store_(std::move(store)),
        subject_(std::move(subject)),
        clock_(clock) {}

  [[nodiscard]] Result<std::string> authorization(const std::string& origin) const;

  const VapidKey key_;
  const std::unique_ptr<SubscriptionStore> store_;
  const std::string subject_;
  const Clock& clock_;
  mutable Mutex mutex_;
  mutable std::map<std::string, Pass, std::less<>> passes_ VIBES_GUARDED_BY(mutex_);  // by origin
};

}  // namespace vibes::consumers
