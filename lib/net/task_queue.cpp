// SPDX-License-Identifier: MIT
#include "net/task_queue.hpp"

#include <utility>

namespace vibes::net {

void TaskQueue::post(Task task) {
  post_quiet(std::move(task));
  wake();
}

void TaskQueue::post_quiet(Task task) {
  const MutexLock lock(mutex_);
  if (!closed_) {
    tasks_.push_back(std::move(task));
  }
}

void TaskQueue::wake() {
  if (woken_.exchange(true)) {
    return;
  }
  const MutexLock lock(mutex_);
  if (!closed_) {
    signal_();
  }
}

void TaskQueue::run() {
  // First, so that a task posted from here on signals again.
  woken_.store(false);
  std::vector<Task> tasks;
  {
    const MutexLock lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) {
    task();
  }
}

void TaskQueue::close() {
  std::vector<Task> dropped;
  const MutexLock lock(mutex_);
  closed_ = true;
  dropped.swap(tasks_);
}

bool TaskQueue::empty() const {
  const MutexLock lock(mutex_);
  return tasks_.empty();
}

}  // namespace vibes::net
