// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "consumers/notifications/delivery.hpp"

namespace vibes::consumers {

struct DelivererOptions {
  std::chrono::milliseconds within = limits::kNotificationWithin;  // one try
  std::chrono::milliseconds retry_first{1'000};                    // doubles with each try
  std::chrono::milliseconds retry_after_max = limits::kNotificationRetryAfterMax;
  std::size_t waiting_max = limits::kNotificationsPerEndpoint;
  std::size_t transfers_max = limits::kTransfersMax;  // at least 2
};

/// Sends POST requests from a thread of its own. To one endpoint they go one after the other, in
/// the order they came; endpoints do not wait for each other, and those that did not answer the
/// last time have half of the transfers at most. Connections are kept open and used again. 429, 5xx
/// and a network that fails are tried again after a growing pause, or after what Retry-After asks.
/// Redirects are not followed. Thread-safe.
class Deliverer {
 public:
  static Result<std::unique_ptr<Deliverer>> start(const DelivererOptions& options = {});
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;
  /// Breaks off what is under way; what has not ended by then is never reported.
  ~Deliverer();

  /// `done` comes on the deliverer's thread.
  void post(Delivery delivery, DeliveryDone done);

 private:
  class Loop;
  explicit Deliverer(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace vibes::consumers
