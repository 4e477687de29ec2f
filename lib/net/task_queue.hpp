// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/mutex.hpp"

namespace vibes::net {

/// What other threads want done on one net thread, in the order they asked. Wake-ups are coalesced:
/// however many tasks are left before the thread comes round, it is signalled once.
///
/// The queue has no limit of its own: every producer is bounded by what it may have in flight (acks
/// by the append budget, PTY output by the scrollback, accepted sockets by the connection limit).
///
/// Thread-safe, except for run(), which belongs to the net thread.
class TaskQueue {
 public:
  using Task = std::function<void()>;

  /// `signal` makes the net thread call run(); it may be called on any thread.
  explicit TaskQueue(std::function<void()> signal) : signal_(std::move(signal)) {}
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  void post(Task task);
  /// Leaves the task for a wake-up that follows anyway.
  void post_quiet(Task task);
  void wake();

  /// Runs what was there when it was called; what the tasks themselves post waits for the next
  /// call.
  void run();
  /// Drops what is there and takes nothing more; the signal is not called afterwards.
  void close();

  [[nodiscard]] bool empty() const;

 private:
  mutable Mutex mutex_;
  std::vector<Task> tasks_ VIBES_GUARDED_BY(mutex_);
  bool closed_ VIBES_GUARDED_BY(mutex_) = false;
  std::function<void()> signal_ VIBES_GUARDED_BY(mutex_);
  std::atomic<bool> woken_{false};
};

}  // namespace vibes::net
