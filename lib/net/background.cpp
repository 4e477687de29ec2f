// SPDX-License-Identifier: MIT
#include "net/background.hpp"

#include <cstddef>
#include <utility>

namespace vibes::net {

namespace {

constexpr std::size_t kTasksMax = 64;

}  // namespace

bool Background::post(Task task) {
  const MutexLock lock(mutex_);
  if (tasks_.size() >= kTasksMax) {
    return false;
  }
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void Background::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);  // so that the waiter is either before its check or waiting
    changed_.notify_all();
  });
  MutexLock lock(mutex_);
  while (true) {
    while (tasks_.empty()) {
      if (stop.stop_requested()) {
        return;
      }
      changed_.wait(lock);
    }
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace vibes::net
