// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "consumers/notifications/notification.hpp"

namespace vibes::consumers {

/// Keeps away what nobody needs to be told: what is long past, and what was just said. One thread.
class TagFilter {
 public:
  enum class Verdict : std::uint8_t { send, too_old, repeated };

  /// `now` is the wall clock's; whether a tag is repeated is judged by the events' own times, so
  /// that what waited for us is thinned out the same way.
  Verdict judge(const Notification& notification, Timestamp now);

 private:
  void forget_before(std::int64_t unix_us);

  std::unordered_map<std::string, std::int64_t> sent_us_;  // by tag
  std::deque<std::pair<std::int64_t, std::string>> order_;
};

}  // namespace vibes::consumers
