// SPDX-License-Identifier: MIT
#include "consumers/waiter.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace vibes::consumers {
namespace {

class SystemWaiter final : public Waiter {
 public:
  void wait(std::chrono::milliseconds delay, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, delay, [] { return false; });
  }
};

}  // namespace

Waiter& system_waiter() {
  static SystemWaiter waiter;
  return waiter;
}

std::chrono::milliseconds Backoff::next() {
  return std::exchange(delay_, std::min(2 * delay_, limits::kRetryLast));
}

}  // namespace vibes::consumers
