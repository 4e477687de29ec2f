// SPDX-License-Identifier: MIT
#include "verify/recorder.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace vibes::verify {

Recorder::Recorder(std::uint64_t seed) { history_.seed = seed; }

std::int64_t Recorder::stamp() {
  last_ = std::max(last_ + 1, system_clock().steady_ns());
  return last_;
}

template <class Record, class Given>
void Recorder::keep(std::vector<Record> History::*where, Given&& record) {
  const MutexLock lock(mutex_);
  record.at = stamp();
  (history_.*where).push_back(std::forward<Given>(record));
}

void Recorder::add(Append record) { keep(&History::appends, std::move(record)); }
void Recorder::add(Answer record) { keep(&History::answers, std::move(record)); }
void Recorder::add(Connect record) { keep(&History::connects, std::move(record)); }
void Recorder::add(Delivery record) { keep(&History::deliveries, record); }
void Recorder::add(Progress record) { keep(&History::progress, record); }
void Recorder::add(GapNotice record) { keep(&History::gaps, record); }
void Recorder::add(Disconnect record) { keep(&History::disconnects, std::move(record)); }
void Recorder::add(Finish record) { keep(&History::finishes, record); }
void Recorder::add(Join record) { keep(&History::joins, std::move(record)); }
void Recorder::add(Process record) { keep(&History::processed, std::move(record)); }
void Recorder::add(Commit record) { keep(&History::commits, std::move(record)); }
void Recorder::add(Fault record) { keep(&History::faults, std::move(record)); }
void Recorder::add(Recovery record) { keep(&History::recoveries, record); }
void Recorder::add(Logged record) {
  const MutexLock lock(mutex_);
  history_.log.push_back(std::move(record));
}
void Recorder::add(std::vector<Logged> log) {
  const MutexLock lock(mutex_);
  history_.log.insert(history_.log.end(), std::make_move_iterator(log.begin()),
                      std::make_move_iterator(log.end()));
}

History Recorder::history() const {
  const MutexLock lock(mutex_);
  return history_;
}

}  // namespace vibes::verify
