// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <stop_token>

#include "base/limits.hpp"

namespace vibes::consumers {

/// Lets time pass between two tries, so that tests can own it. Thread-safe.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() = default;

  /// Returns after `delay`, or at once when `stop` is requested.
  virtual void wait(std::chrono::milliseconds delay, const std::stop_token& stop) = 0;
};

Waiter& system_waiter();

/// Doubles from limits::kRetryFirst to limits::kRetryLast.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void reset() { delay_ = limits::kRetryFirst; }

 private:
  std::chrono::milliseconds delay_ = limits::kRetryFirst;
};

}  // namespace vibes::consumers
