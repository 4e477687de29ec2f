// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/mutex.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::eventlog::remote {

/// The answers that are owed to append(), handed out in the order of the appends, whatever the
/// order in which they come to be known. Thread-safe.
class AckQueue {
 public:
  /// Names one append.
  using Ticket = std::uint64_t;

  Ticket push(AppendDone done);
  /// The answer, once per ticket. It is handed out by the next flush() that is not held up by an
  /// earlier one.
  void resolve(Ticket ticket, Result<AppendReceipt> answer);
  /// Hands out what is known. Not to be called from an AppendDone, nor with a lock held that one
  /// needs.
  void flush();
  [[nodiscard]] bool empty() const;

 private:
  struct Entry {
    AppendDone done;
    std::optional<Result<AppendReceipt>> answer;
  };

  std::optional<Entry> take_front();

  Mutex handing_out_;  // one flush() at a time; taken before mutex_
  mutable Mutex mutex_;
  std::deque<Entry> entries_ VIBES_GUARDED_BY(mutex_);
  Ticket front_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::eventlog::remote
