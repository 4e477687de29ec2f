// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.hpp"

namespace vibes::net {

/// One thread for the few requests that wait for the disk, so that no net thread does. Thread-safe.
class Background {
 public:
  using Task = std::function<void()>;

  Background() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// False: too many are waiting already.
  [[nodiscard]] bool post(Task task);

 private:
  void run(const std::stop_token& stop);

  Mutex mutex_;
  CondVar changed_;
  std::deque<Task> tasks_ VIBES_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace vibes::net
