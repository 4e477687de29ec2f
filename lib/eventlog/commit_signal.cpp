// SPDX-License-Identifier: MIT
#include "eventlog/commit_signal.hpp"

#include <utility>

namespace vibes::eventlog {

CommitSignal::Subscription::Subscription(Subscription&& other) noexcept
    : signal_(std::exchange(other.signal_, nullptr)), id_(other.id_) {}

CommitSignal::Subscription& CommitSignal::Subscription::operator=(Subscription&& other) noexcept {
  if (signal_ != nullptr) {
    signal_->unlisten(id_);
  }
  signal_ = std::exchange(other.signal_, nullptr);
  id_ = other.id_;
  return *this;
}

CommitSignal::Subscription::~Subscription() {
  if (signal_ != nullptr) {
    signal_->unlisten(id_);
  }
}

void CommitSignal::advance(Offset end) {
  const MutexLock lock(mutex_);
  VIBES_ASSERT(end >= this->end());
  end_.store(end.value(), std::memory_order_release);
}

void CommitSignal::publish(Offset end) {
  advance(end);
  wake();
}

void CommitSignal::nudge() { wake(); }

void CommitSignal::wake() {
  const Offset now = end();
  moved_.notify_all();
  const MutexLock lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) {
    listener(now);
  }
}

CommitSignal::Subscription CommitSignal::listen(Listener listener) {
  const MutexLock lock(listeners_mutex_);
  const std::uint64_t id = next_id_++;
  listeners_.emplace(id, std::move(listener));
  return {this, id};
}

void CommitSignal::unlisten(std::uint64_t id) {
  const MutexLock lock(listeners_mutex_);
  listeners_.erase(id);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a token is a pointer
Offset CommitSignal::wait_beyond(Offset after, std::stop_token stop,
                                 std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);  // so that the waiter is either before its check or waiting
    moved_.notify_all();
  });
  MutexLock lock(mutex_);
  while (end() <= after && !stop.stop_requested()) {
    if (moved_.wait_until(lock, deadline) == std::cv_status::timeout) {
      break;
    }
  }
  return end();
}

}  // namespace vibes::eventlog
