// SPDX-License-Identifier: MIT
#include "consumers/notifications/tag_filter.hpp"

#include <chrono>

#include "base/limits.hpp"

namespace vibes::consumers {
namespace {

constexpr std::int64_t kMaxAgeUs = std::chrono::microseconds(limits::kNotificationMaxAge).count();
constexpr std::int64_t kWithinUs =
    std::chrono::microseconds(limits::kNotificationTagWithin).count();

}  // namespace

TagFilter::Verdict TagFilter::judge(const Notification& notification, Timestamp now) {
  const std::int64_t time = notification.time.unix_us;
  if (now.unix_us - time > kMaxAgeUs) {
    return Verdict::too_old;
  }
  forget_before(time - kWithinUs + 1);
  if (!sent_us_.try_emplace(notification.tag, time).second) {
    return Verdict::repeated;
  }
  order_.emplace_back(time, notification.tag);
  return Verdict::send;
}

/// The oldest go, too, when there are more than we may keep: then a tag may be said again early.
void TagFilter::forget_before(std::int64_t unix_us) {
  while (!order_.empty() &&
         (order_.front().first < unix_us || order_.size() >= limits::kNotificationTagsMax)) {
    sent_us_.erase(order_.front().second);
    order_.pop_front();
  }
}

}  // namespace vibes::consumers
