// SPDX-License-Identifier: MIT
#include "consumers/notifications/notification_handler.hpp"

#include <memory>
#include <set>

#include "base/mutex.hpp"
#include "consumers/notifications/stall_watch.hpp"
#include "consumers/notifications/tag_filter.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

/// The events whose channels are not done. Outlives its handler in what the channels call.
class Unsettled {
 public:
  void add(Offset offset) {
    const MutexLock lock(mutex_);
    offsets_.insert(offset);
  }
  void remove(Offset offset) {
    const MutexLock lock(mutex_);
    offsets_.erase(offset);
  }
  Offset settled(Offset handled) {
    const MutexLock lock(mutex_);
    return offsets_.empty() ? handled : *offsets_.begin();
  }

 private:
  Mutex mutex_;
  std::set<Offset> offsets_ VIBES_GUARDED_BY(mutex_);
};

class NotificationHandler final : public Handler {
 public:
  NotificationHandler(Notifier& notifier, eventlog::EventLog& log, const Clock& clock)
      : notifier_(notifier), log_(log), clock_(clock), stalls_(notifier.options().stall_after) {}

  Outcome handle(const event::EventView& event, std::uint64_t /*attempt*/) override {
    const event::PayloadValue payload =
        concerns_notifications(event) ? payloads_.read(event.payload) : event::PayloadValue();
    stalls_.observe(event, payload);
    const auto notification = notification_for(event, payload, notifier_.options().off);
    if (notification) {
      send(*notification);
    }
    return Outcome::ok();
  }

  Result<Offset> settle(Offset handled, Occasion /*occasion*/) override {
    return unsettled_->settled(handled);
  }

  void tick() override {
    auto stalled = stalls_.due(clock_.now());
    if (!stalled.empty()) {
      // A log that takes nothing now says so itself, everywhere.
      (void)log_.append(std::move(stalled), [](const Result<eventlog::AppendReceipt>&) {});
    }
  }

 private:
  void send(const Notification& notification) {
    switch (filter_.judge(notification, clock_.now())) {
      case TagFilter::Verdict::too_old:
        notifier_.count_too_old();
        return;
      case TagFilter::Verdict::repeated:
        notifier_.count_repeated();
        return;
      case TagFilter::Verdict::send:
        break;
    }
    unsettled_->add(notification.offset);
    notifier_.send(notification, [unsettled = unsettled_, offset = notification.offset](
                                     const auto&) { unsettled->remove(offset); });
  }

  Notifier& notifier_;
  eventlog::EventLog& log_;
  const Clock& clock_;
  event::PayloadReader payloads_;
  StallWatch stalls_;
  TagFilter filter_;
  const std::shared_ptr<Unsettled> unsettled_ = std::make_shared<Unsettled>();
};

}  // namespace

HandlerFactory notify(Notifier& notifier, eventlog::EventLog& log, const Clock& clock) {
  return [&notifier, &log, &clock](Offset) {
    return std::make_unique<NotificationHandler>(notifier, log, clock);
  };
}

}  // namespace vibes::consumers
