// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>

#include "base/mutex.hpp"
#include "base/offset.hpp"

namespace vibes::eventlog {

/// The high-water mark and who waits for it to move. The engine publishes; everyone else listens or
/// waits. Thread-safe.
class CommitSignal {
 public:
  using Listener = std::function<void(Offset end)>;

  /// Ends the listening when destroyed; when the destructor returns the listener is not running and
  /// will not run again. Must not be destroyed from inside its own listener.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(CommitSignal* signal, std::uint64_t id) : signal_(signal), id_(id) {}
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

   private:
    CommitSignal* signal_ = nullptr;
    std::uint64_t id_ = 0;
  };

  explicit CommitSignal(Offset end = Offset{}) : end_(end.value()) {}

  [[nodiscard]] Offset end() const { return Offset(end_.load(std::memory_order_acquire)); }

  /// Moves the end without waking anyone. The engine calls it before it hands out the acks of a
  /// group commit, so that whoever has an ack also finds the event; publish() follows.
  void advance(Offset end);
  /// Called by the engine once per group commit, after the acks of that commit were handed out.
  /// Listeners run on the calling thread; they must be short and must not call back into the
  /// signal.
  void publish(Offset end);
  /// Wakes everyone without moving the end: the state of the log changed, or it is closing.
  void nudge();

  [[nodiscard]] Subscription listen(Listener listener);

  /// Waits until end() > `after`, `stop` is requested or `timeout` passed; returns end().
  Offset wait_beyond(Offset after, std::stop_token stop, std::chrono::milliseconds timeout);

 private:
  void unlisten(std::uint64_t id);
  void wake();

  mutable Mutex mutex_;
  CondVar moved_;
  std::atomic<std::uint64_t> end_;  // moved with mutex_ held, so that no waiter misses it
  Mutex listeners_mutex_;           // taken before mutex_ by nobody; held while listeners run
  std::map<std::uint64_t, Listener> listeners_ VIBES_GUARDED_BY(listeners_mutex_);
  std::uint64_t next_id_ VIBES_GUARDED_BY(listeners_mutex_) = 1;
};

}  // namespace vibes::eventlog
