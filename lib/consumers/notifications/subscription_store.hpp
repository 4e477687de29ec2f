// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "consumers/notifications/push_encryption.hpp"

namespace vibes::consumers {

/// A browser that wants to be told.
struct PushSubscription {
  std::string id = {};  // follows from the endpoint: the same browser is the same subscription
  std::string endpoint;
  PushKeys keys;
  std::string user_agent;
  Timestamp created = {};
};

/// The subscriptions, in a file of JSON that is replaced as a whole with each change. Thread-safe;
/// changes wait for the disk.
class SubscriptionStore {
 public:
  /// An empty path: they are kept nowhere else. Errors: the file cannot be read or is no such file.
  static Result<std::unique_ptr<SubscriptionStore>> open(std::filesystem::path file);

  /// Takes a subscription whose endpoint and keys were checked and returns its id; one with the
  /// same endpoint is replaced. Errors: std::errc::too_many_files_open beyond
  /// limits::kPushSubscriptionsMax; those of the disk.
  Result<std::string> add(PushSubscription subscription);
  /// False: there was none.
  Result<bool> remove(std::string_view id);
  [[nodiscard]] std::vector<PushSubscription> list() const;

 private:
  using Subscriptions = std::map<std::string, PushSubscription, std::less<>>;  // by id
  explicit SubscriptionStore(std::filesystem::path file) : file_(std::move(file)) {}
  Result<void> save(const Subscriptions& subscriptions) const;

  const std::filesystem::path file_;
  mutable Mutex mutex_;
  Subscriptions subscriptions_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::consumers
