// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace vibes::client {

/// Until when a call may take, on the steady clock. Every call that waits takes one and fails with
/// Errc::timed_out when it has passed; a deadline in the past means: do what can be done without
/// waiting.
using Deadline = std::chrono::steady_clock::time_point;

inline constexpr Deadline kNever = Deadline::max();

inline Deadline within(std::chrono::milliseconds duration) {
  return std::chrono::steady_clock::now() + duration;
}

/// What is left, rounded up and never negative; at most a day, so that it fits poll(2).
inline std::chrono::milliseconds left_until(Deadline deadline) {
  constexpr std::chrono::hours kDay{24};
  const auto now = std::chrono::steady_clock::now();
  if (deadline <= now) {
    return std::chrono::milliseconds{0};
  }
  if (deadline - now > kDay) {
    return kDay;
  }
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
}

}  // namespace vibes::client
