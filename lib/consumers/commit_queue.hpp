// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"

namespace vibes::consumers {

/// Does what waits for the disk on behalf of threads that must not: one thread, in the order given
/// per group. Commits of a group that wait together become one. Thread-safe.
class CommitQueue {
 public:
  struct Work {
    enum class Kind : std::uint8_t { commit, reject, set_aside, forget_letters, remove };
    std::string group;
    Kind kind = Kind::commit;
    Offset offset;  // the next offset to read, or that of the rejected event
    std::string reason;
    std::uint64_t attempts = 0;
    std::function<void(Result<Offset>)> done;  // may be empty
  };
  /// Carries out one piece of work and returns what is committed then.
  using Worker = std::function<Result<Offset>(const Work&)>;

  explicit CommitQueue(Worker worker);
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;
  /// Finishes what was taken.
  ~CommitQueue();

  /// Errors: queue_full where limits::kPendingCommitsMax of this group wait; `done` is not called
  /// then.
  Result<void> push(Work work);
  /// The same, waiting until it is done. Not from the worker.
  Result<Offset> push_and_wait(Work work);

 private:
  void run();
  void carry_out(std::vector<Work> works);

  const Worker worker_;
  Mutex mutex_;
  CondVar pushed_;
  std::vector<Work> queue_ VIBES_GUARDED_BY(mutex_);
  std::map<std::string, std::size_t, std::less<>> waiting_ VIBES_GUARDED_BY(mutex_);
  bool stopping_ VIBES_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace vibes::consumers
