// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "base/mutex.hpp"
#include "client/deadline.hpp"

namespace vibes::client {

/// Lets another thread end a wait. A wake that comes while nobody waits ends the next wait.
/// Thread-safe.
class Waker {
 public:
  void wake() noexcept;
  /// Whether a wake has come since the last take(); forgets it.
  bool take();
  [[nodiscard]] bool is_set() const;
  /// Waits for a wake; true and forgotten if one came before the deadline.
  bool wait(Deadline deadline);

  /// What wake() calls to end a wait that is not wait(): under a lock, so that after detach() it
  /// does not run any more.
  void attach(std::function<void()> poke);
  void detach();

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool woken_ VIBES_GUARDED_BY(mutex_) = false;
  std::function<void()> poke_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::client
