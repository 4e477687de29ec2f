// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "consumers/interventions/waiting_interventions.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::consumers {

/// The interventions that wait, between the group `interventions`, which folds the log into them,
/// and the hooks that ask. Whoever asks is answered from the log as it is at that moment: what the
/// group has not read yet is read first, and where that would be too much nothing is handed out. So
/// a delivery that is in the log is never made again, however late the group.
///
/// Thread-safe. Log, file system and clock must outlive it.
class InterventionStore {
 public:
  struct Places {
    eventlog::EventLog& log;
    io::FileSystem& file_system;
    std::string state_file;  // in a directory that exists; empty: nothing outlives this object
    const Clock& clock;
  };

  explicit InterventionStore(Places places);
  InterventionStore(const InterventionStore&) = delete;
  InterventionStore& operator=(const InterventionStore&) = delete;

  /// Gets ready to be handed the events from `start` on: the first time with what was saved. Where
  /// that is back at the beginning of the log what was known is forgotten. Errors:
  /// std::errc::bad_message (a state that is damaged or of another log), or of reading; then
  /// nothing is handed out.
  Result<void> restart(Offset start);

  /// Errors: std::errc::bad_message, see WaitingInterventions.
  Result<void> fold(const event::EventView& event);

  /// What the session's hook with that event_id is to give its agent; see
  /// WaitingInterventions::hand_out(). Reads at most a few slices of the log.
  std::optional<Handout> hand_out(std::string_view session, const Uuid& hook);

  /// Makes what is known durable, if it changed. Of one thread at a time. Errors: the I/O error.
  Result<void> save();

 private:
  Result<void> load() VIBES_REQUIRES(mutex_);
  Result<void> catch_up() VIBES_REQUIRES(mutex_);

  const Places places_;
  mutable Mutex mutex_;
  WaitingInterventions waiting_ VIBES_GUARDED_BY(mutex_);
  bool is_ready_ VIBES_GUARDED_BY(mutex_) = false;
  bool is_saved_ = true;  // what the last save() took, on save()'s thread
};

}  // namespace vibes::consumers
