// SPDX-License-Identifier: MIT
#include "net/timer_queue.hpp"

namespace vibes::net {

Timer::~Timer() { queue_.dequeue(*this); }

void Timer::set(std::chrono::milliseconds delay) {
  const std::int64_t deadline =
      queue_.now_ns_() + std::chrono::duration_cast<std::chrono::nanoseconds>(delay).count();
  deadline_ns_ = deadline;
  if (queued_ && (*queued_)->first <= deadline) {
    return;
  }
  queue_.dequeue(*this);
  queue_.enqueue(*this, deadline);
}

void TimerQueue::enqueue(Timer& timer, std::int64_t deadline_ns) {
  timer.queued_ = queue_.emplace(deadline_ns, &timer);
  if (*timer.queued_ == queue_.begin()) {
    arm_(deadline_ns);
  }
}

void TimerQueue::dequeue(Timer& timer) {
  if (timer.queued_) {
    queue_.erase(*timer.queued_);
    timer.queued_.reset();
  }
}

void TimerQueue::run() {
  const std::int64_t now = now_ns_();
  while (!queue_.empty() && queue_.begin()->first <= now) {
    Timer& timer = *queue_.begin()->second;
    dequeue(timer);
    if (!timer.deadline_ns_) {
      continue;
    }
    if (*timer.deadline_ns_ > now) {
      enqueue(timer, *timer.deadline_ns_);
      continue;
    }
    timer.deadline_ns_.reset();
    // A copy: the timer may destroy its owner.
    const std::function<void()> fire = timer.fire_;
    fire();
  }
  if (!queue_.empty()) {
    arm_(queue_.begin()->first);
  }
}

}  // namespace vibes::net
