// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/unique_fd.hpp"
#include "consumers/notifications/delivery.hpp"
#include "consumers/notifications/notification.hpp"

namespace vibes::consumers {

struct CommandOptions {
  std::string command;  // for /bin/sh -c
  std::chrono::milliseconds within = limits::kNotificationWithin;
  std::chrono::milliseconds retry_first{1'000};
};

/// Runs the user's command for each notification, one after the other, on a thread of its own: the
/// event on stdin, what it is about in VIBES_* variables. Nothing of an event ever becomes part of
/// the command. Status 0 is success, anything else is tried again; what takes too long is killed
/// with all it started. Thread-safe.
class CommandRunner {
 public:
  explicit CommandRunner(CommandOptions options);
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;
  /// Kills what runs; what has not ended by then is never reported.
  ~CommandRunner();

  void run(const Notification& notification, DeliveryDone done);

 private:
  struct Job {
    Notification notification;
    DeliveryDone done;
  };
  void work(const std::stop_token& stop);
  std::optional<Delivered> attempt_all(const Notification& notification,
                                       const std::stop_token& stop);
  /// Empty: success. Nothing: we stop.
  std::optional<std::string> attempt(const Notification& notification, unsigned number);

  const CommandOptions options_;
  UniqueFd stopping_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ VIBES_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace vibes::consumers
