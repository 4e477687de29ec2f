// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <mutex>

// clang checks these with -Wthread-safety; g++ sees nothing.
#if defined(__clang__)
#define VIBES_TS(x) __attribute__((x))
#else
#define VIBES_TS(x)
#endif

#define VIBES_GUARDED_BY(m) VIBES_TS(guarded_by(m))
#define VIBES_REQUIRES(m) VIBES_TS(requires_capability(m))
#define VIBES_EXCLUDES(m) VIBES_TS(locks_excluded(m))
// Of a function that returns whether it has taken `m`; its own body is beyond the analysis.
#define VIBES_TRY_ACQUIRES(m) \
  VIBES_TS(try_acquire_capability(true, m)) VIBES_TS(no_thread_safety_analysis)

namespace vibes {

/// std::mutex with the annotations that let the compiler check what it guards.
class VIBES_TS(capability("mutex")) Mutex {
 public:
  void lock() VIBES_TS(acquire_capability()) { mutex_.lock(); }
  void unlock() VIBES_TS(release_capability()) { mutex_.unlock(); }
  bool try_lock() VIBES_TS(try_acquire_capability(true)) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope; may be given up early and taken again.
class VIBES_TS(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) VIBES_TS(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() VIBES_TS(release_capability()) {
    if (held_) {
      mutex_.unlock();
    }
  }
  void lock() VIBES_TS(acquire_capability()) {
    mutex_.lock();
    held_ = true;
  }
  void unlock() VIBES_TS(release_capability()) {
    held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// Waits with a MutexLock: `cv.wait(lock)` inside a loop that checks the condition, so that the
/// analysis sees guarded members read while the lock is held.
using CondVar = std::condition_variable_any;

}  // namespace vibes
