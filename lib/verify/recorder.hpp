// SPDX-License-Identifier: MIT
#pragma once

#include "base/mutex.hpp"
#include "verify/history.hpp"

namespace vibes::verify {

/// Collects a History while a run goes on, stamping each record with a strictly increasing time.
/// Thread-safe.
class Recorder {
 public:
  explicit Recorder(std::uint64_t seed);

  /// `at` of the record is overwritten.
  void add(Append record);
  void add(Answer record);
  void add(Connect record);
  void add(Delivery record);
  void add(Progress record);
  void add(GapNotice record);
  void add(Disconnect record);
  void add(Finish record);
  void add(Join record);
  void add(Process record);
  void add(Commit record);
  void add(Fault record);
  void add(Recovery record);
  void add(Logged record);
  void add(std::vector<Logged> log);

  [[nodiscard]] History history() const;

 private:
  std::int64_t stamp() VIBES_REQUIRES(mutex_);
  template <class Record, class Given>
  void keep(std::vector<Record> History::*where, Given&& record);

  mutable Mutex mutex_;
  History history_ VIBES_GUARDED_BY(mutex_);
  std::int64_t last_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::verify
