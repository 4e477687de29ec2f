// SPDX-License-Identifier: MIT
#include "client/waker.hpp"

#include <utility>

namespace vibes::client {

void Waker::wake() noexcept {
  const MutexLock lock(mutex_);
  woken_ = true;
  changed_.notify_all();
  if (poke_) {
    poke_();
  }
}

bool Waker::take() {
  const MutexLock lock(mutex_);
  return std::exchange(woken_, false);
}

bool Waker::is_set() const {
  const MutexLock lock(mutex_);
  return woken_;
}

bool Waker::wait(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!woken_ && left_until(deadline).count() > 0) {
    (void)changed_.wait_for(lock, left_until(deadline));
  }
  return std::exchange(woken_, false);
}

void Waker::attach(std::function<void()> poke) {
  const MutexLock lock(mutex_);
  poke_ = std::move(poke);
}

void Waker::detach() {
  const MutexLock lock(mutex_);
  poke_ = nullptr;
}

}  // namespace vibes::client
