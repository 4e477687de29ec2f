// SPDX-License-Identifier: MIT
#include "eventlog/remote/ack_queue.hpp"

#include <utility>

#include "base/assert.hpp"

namespace vibes::eventlog::remote {

AckQueue::Ticket AckQueue::push(AppendDone done) {
  const MutexLock lock(mutex_);
  entries_.push_back({std::move(done), std::nullopt});
  return front_ + entries_.size() - 1;
}

void AckQueue::resolve(Ticket ticket, Result<AppendReceipt> answer) {
  const MutexLock lock(mutex_);
  VIBES_ASSERT(ticket >= front_ && ticket - front_ < entries_.size());
  Entry& entry = entries_[ticket - front_];
  VIBES_ASSERT(!entry.answer);
  entry.answer.emplace(std::move(answer));
}

std::optional<AckQueue::Entry> AckQueue::take_front() {
  const MutexLock lock(mutex_);
  if (entries_.empty() || !entries_.front().answer) {
    return std::nullopt;
  }
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  ++front_;
  return entry;
}

void AckQueue::flush() {
  const MutexLock one_at_a_time(handing_out_);
  while (auto entry = take_front()) {
    entry->done(*std::move(entry->answer));
  }
}

bool AckQueue::empty() const {
  const MutexLock lock(mutex_);
  return entries_.empty();
}

}  // namespace vibes::eventlog::remote
