// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"

namespace vibes::net {

/// What other threads want done on one net thread, in the order they asked. Wake-ups are coalesced:
/// however many tasks are left before the thread comes round, it is signalled once.
///
/// Every producer is bounded by what it may have in flight (acks by the append budget, PTY output
/// by the scrollback, accepted sockets by the connection limit). Should that not be enough, tasks
/// are refused, and whoever posted them must give up the connection they were for.
///
/// Thread-safe, except for run(), which belongs to the net thread.
class TaskQueue {
 public:
  using Task = std::function<void()>;

  struct Limits {
    std::size_t tasks = limits::kLoopTasksMax;
    std::size_t bytes = limits::kLoopTaskBytesMax;
  };

  /// `signal` makes the net thread call run(); it may be called on any thread.
  explicit TaskQueue(std::function<void()> signal) : TaskQueue(std::move(signal), Limits()) {}
  TaskQueue(std::function<void()> signal, Limits limits)
      : limits_(limits), signal_(std::move(signal)) {}
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  /// `bytes` is what the task holds, where that is more than a few words. False: the queue is full;
  /// it has been woken.
  [[nodiscard]] bool post(Task task, std::size_t bytes = 0);
  /// Leaves the task for a wake-up that follows anyway.
  [[nodiscard]] bool post_quiet(Task task);
  /// For what must be done also by a thread that is overrun.
  void post_unlimited(Task task);
  void wake();

  /// Runs what was there when it was called; what the tasks themselves post waits for the next
  /// call.
  void run();
  /// Drops what is there and takes nothing more; the signal is not called afterwards.
  void close();

  [[nodiscard]] bool empty() const;
  /// Whether a task was refused since this was asked last.
  [[nodiscard]] bool take_overrun() { return overrun_.exchange(false); }

 private:
  bool take(Task task, std::size_t bytes);

  const Limits limits_;
  mutable Mutex mutex_;
  std::vector<Task> tasks_ VIBES_GUARDED_BY(mutex_);
  std::size_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  bool closed_ VIBES_GUARDED_BY(mutex_) = false;
  std::function<void()> signal_ VIBES_GUARDED_BY(mutex_);
  std::atomic<bool> woken_{false};
  std::atomic<bool> overrun_{false};
};

}  // namespace vibes::net
