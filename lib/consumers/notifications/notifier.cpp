// SPDX-License-Identifier: MIT
#include "consumers/notifications/notifier.hpp"

#include <utility>

#include "base/mutex.hpp"

namespace vibes::consumers {

/// Waits for the channels of one notification; shared by what they call when they are done.
class Notifier::Gathering {
 public:
  Gathering(std::size_t channels, Done done, const Notifier& notifier)
      : left_(channels),
        done_(std::move(done)),
        on_trouble_(notifier.options_.on_trouble),
        counts_(notifier.counts_) {}

  void add(std::string_view channel, const Delivered& delivered) {
    const bool sent = delivered.kind == Delivered::Kind::sent;
    ++(sent ? counts_->sent : counts_->lost);
    if (!sent && on_trouble_) {
      on_trouble_("notification by " + std::string(channel) + ": " +
                  std::string(to_string(delivered.kind)) + " after " +
                  std::to_string(delivered.attempts) + " tries: " + delivered.detail);
    }
    MutexLock lock(mutex_);
    results_.push_back({channel, delivered});
    if (--left_ == 0) {
      auto results = std::move(results_);
      lock.unlock();
      done_(std::move(results));
    }
  }

 private:
  Mutex mutex_;
  std::size_t left_ VIBES_GUARDED_BY(mutex_);
  std::vector<ChannelResult> results_ VIBES_GUARDED_BY(mutex_);
  const Done done_;
  const std::function<void(const std::string&)> on_trouble_;
  const std::shared_ptr<NotifyCounts> counts_;
};

Result<std::unique_ptr<Notifier>> Notifier::start(NotifyOptions options) {
  std::unique_ptr<Notifier> notifier(new Notifier(std::move(options)));
  const NotifyOptions& given = notifier->options_;
  if (given.ntfy || given.webhook || given.push) {
    VIBES_TRY_ASSIGN(deliverer, Deliverer::start());
    notifier->deliverer_ = std::move(deliverer);
  }
  if (!given.command.empty()) {
    notifier->command_ = std::make_unique<CommandRunner>(CommandOptions{.command = given.command});
  }
  return notifier;
}

void Notifier::send(const Notification& notification, Done done) {
  const auto browsers =
      options_.push ? options_.push->subscriptions().list() : std::vector<PushSubscription>();
  const std::size_t channels = browsers.size() + (options_.ntfy ? 1U : 0U) +
                               (options_.webhook ? 1U : 0U) + (command_ != nullptr ? 1U : 0U);
  if (channels == 0) {
    done({});
    return;
  }
  const auto gathering = std::make_shared<Gathering>(channels, std::move(done), *this);
  const auto into = [&gathering](std::string_view channel) {
    return [gathering, channel](const Delivered& result) { gathering->add(channel, result); };
  };
  for (const PushSubscription& browser : browsers) {
    send_push(browser, notification, gathering);
  }
  if (options_.ntfy) {
    deliverer_->post(ntfy_delivery(*options_.ntfy, notification), into("ntfy"));
  }
  if (options_.webhook) {
    deliverer_->post(webhook_delivery(*options_.webhook, options_.webhook_secret, notification),
                     into("webhook"));
  }
  if (command_ != nullptr) {
    command_->run(notification, into("command"));
  }
}

void Notifier::send_push(const PushSubscription& to, const Notification& notification,
                         const std::shared_ptr<Gathering>& gathering) {
  auto delivery = options_.push->delivery(to, notification);
  if (!delivery) {
    gathering->add("push", {Delivered::Kind::refused, 0, delivery.error().message()});
    return;
  }
  deliverer_->post(*std::move(delivery),
                   [gathering, push = options_.push, id = to.id](const Delivered& result) {
                     if (result.kind == Delivered::Kind::gone) {
                       (void)push->unsubscribe(id);  // rare enough to wait for the disk here
                     }
                     gathering->add("push", result);
                   });
}

Notification test_notification() {
  Notification test;
  test.title = "vibes";
  test.body = "This is a test: notifications arrive here";
  test.tag = "test";
  test.event_type = "test";
  test.trigger = "test";
  test.type = "notification";
  test.payload = R"({"type":"notification","test":true})";
  return test;
}

}  // namespace vibes::consumers
