// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace vibes::net {

class TimerQueue;

/// One deadline of one owner. Setting it again is cheap also for thousands of timers: a later
/// deadline only moves the one that is queued, and is looked at when the earlier one has come.
class Timer {
 public:
  Timer(TimerQueue& queue, std::function<void()> fire) : queue_(queue), fire_(std::move(fire)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  void set(std::chrono::milliseconds delay);
  void stop() { deadline_ns_.reset(); }
  [[nodiscard]] bool is_set() const { return deadline_ns_.has_value(); }

 private:
  friend class TimerQueue;
  TimerQueue& queue_;
  std::function<void()> fire_;
  std::optional<std::int64_t> deadline_ns_;
  std::optional<std::multimap<std::int64_t, Timer*>::iterator> queued_;
};

/// The timers of one net thread, on one timer of its event loop. Not thread-safe.
class TimerQueue {
 public:
  using NowNs = std::function<std::int64_t()>;
  /// Asks for a call of run() at this time, replacing the earlier request.
  using Arm = std::function<void(std::int64_t deadline_ns)>;

  TimerQueue(NowNs now_ns, Arm arm) : now_ns_(std::move(now_ns)), arm_(std::move(arm)) {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// Fires what is due. A timer may set, stop or destroy itself and others.
  void run();

 private:
  friend class Timer;
  void enqueue(Timer& timer, std::int64_t deadline_ns);
  void dequeue(Timer& timer);

  NowNs now_ns_;
  Arm arm_;
  std::multimap<std::int64_t, Timer*> queue_;
};

}  // namespace vibes::net
