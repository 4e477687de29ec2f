// SPDX-License-Identifier: MIT
#include "net/task_queue.hpp"

#include <utility>

namespace vibes::net {

bool TaskQueue::post(Task task, std::size_t bytes) {
  const bool taken = take(std::move(task), bytes);
  wake();
  return taken;
}

bool TaskQueue::post_quiet(Task task) {
  const bool taken = take(std::move(task), 0);
  if (!taken) {
    wake();
  }
  return taken;
}

void TaskQueue::post_unlimited(Task task) {
  {
    const MutexLock lock(mutex_);
    if (!closed_) {
      tasks_.push_back(std::move(task));
    }
  }
  wake();
}

/// A closed queue drops what it is given: there is nobody left who could miss it.
bool TaskQueue::take(Task task, std::size_t bytes) {
  const MutexLock lock(mutex_);
  if (closed_) {
    return true;
  }
  if (tasks_.size() >= limits_.tasks || bytes_ + bytes > limits_.bytes) {
    overrun_.store(true);
    return false;
  }
  bytes_ += bytes;
  tasks_.push_back(std::move(task));
  return true;
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
    bytes_ = 0;
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
