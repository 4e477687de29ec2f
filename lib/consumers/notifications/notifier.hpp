// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "consumers/notifications/command_runner.hpp"
#include "consumers/notifications/deliverer.hpp"
#include "consumers/notifications/messages.hpp"
#include "consumers/notifications/notification.hpp"
#include "consumers/notifications/trigger.hpp"
#include "consumers/notifications/web_push.hpp"

namespace vibes::consumers {

/// What the user has configured.
struct NotifyOptions {
  std::optional<NtfyTopic> ntfy;
  std::optional<Endpoint> webhook;
  std::string webhook_secret;          // empty: requests are not signed
  std::string command;                 // empty: none
  std::shared_ptr<WebPush> push = {};  // null: off
  TriggersOff off = triggers_off_by_default();
  std::chrono::milliseconds stall_after = limits::kStallAfter;
  /// Told about each notification that a channel did not take, for a person, on any thread.
  std::function<void(const std::string&)> on_trouble = {};
};

/// What one channel says of a notification.
struct ChannelResult {
  std::string_view channel;  // ntfy, webhook, command; push once for each subscription
  Delivered delivered;
};

/// What became of notifications since the start, for /metrics.
struct NotifyCounts {
  std::atomic<std::uint64_t> sent{0};  // by one channel each
  std::atomic<std::uint64_t> lost{0};  // the same: given up, refused, crowded
  std::atomic<std::uint64_t> repeated{0};
  std::atomic<std::uint64_t> too_old{0};
};

/// Brings a notification to every channel that is configured. Thread-safe.
class Notifier {
 public:
  static Result<std::unique_ptr<Notifier>> start(NotifyOptions options);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  /// What is under way is broken off and never reported.
  ~Notifier() = default;

  /// `done` comes once, when every channel has taken it or given up; on any thread, perhaps before
  /// this returns. It must not block.
  using Done = std::function<void(std::vector<ChannelResult>)>;
  void send(const Notification& notification, Done done);

  [[nodiscard]] const NotifyOptions& options() const { return options_; }
  [[nodiscard]] const NotifyCounts& counts() const { return *counts_; }
  void count_repeated() { ++counts_->repeated; }
  void count_too_old() { ++counts_->too_old; }

 private:
  class Gathering;
  void send_push(const PushSubscription& to, const Notification& notification,
                 const std::shared_ptr<Gathering>& gathering);
  explicit Notifier(NotifyOptions options) : options_(std::move(options)) {}

  const NotifyOptions options_;
  const std::shared_ptr<NotifyCounts> counts_ = std::make_shared<NotifyCounts>();
  std::unique_ptr<Deliverer> deliverer_;
  std::unique_ptr<CommandRunner> command_;
};

/// What a person sends to see whether notifications arrive.
Notification test_notification();

}  // namespace vibes::consumers
