// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "event/event.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog::remote {

/// What was appended while the engine is away, on this machine's disk, in order, until it is in the
/// stream. A file log, in which each batch lies behind an event that says how many it has; the
/// group `delivered` stands where delivery goes on. Thread-safe; next() belongs to one thread.
class Outbox {
 public:
  /// Of `options` the durability, the clock and the file system count; without a directory it is in
  /// memory, as durable as that. Errors: as open_log().
  static Result<std::unique_ptr<Outbox>> open(const std::string& directory,
                                              const LogOptions& options,
                                              std::size_t bytes_max = limits::kOutboxBytesMax);

  struct Batch {
    std::vector<event::NewEvent> events;
    std::optional<Timestamp> recorded;
    Offset end;  // for delivered()
  };
  /// The receipt has no offsets: AppendReceipt::pending.
  using Kept = std::function<void(Result<AppendReceipt>)>;

  /// Keeps a batch whose events all have an event_id. `kept` is called once it is on disk, in the
  /// order of the calls. Errors: storage_full (limits::kOutboxBytesMax are waiting),
  /// event_id_conflict with what waits; then `kept` is not called.
  Result<void> keep(const std::vector<event::NewEvent>& events, std::optional<Timestamp> recorded,
                    Kept kept);

  /// The oldest batch that was not returned yet; nothing if there is none just now.
  Result<std::optional<Batch>> next();
  /// The next next() returns the first that was not delivered.
  void rewind();
  /// Whether next() has returned everything that keep() took.
  [[nodiscard]] bool is_read() const;

  /// The oldest `batches`, which end at `end`, are in the stream, or were refused there for good.
  Result<void> delivered(std::size_t batches, Offset end);
  /// Writes down what the stream refused, for a person: it was acknowledged as pending.
  Result<void> put_aside(const Batch& batch, const Error& why);

  struct Load {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t refused = 0;  // put aside since the start
  };
  /// What waits.
  [[nodiscard]] Load load() const;
  /// Calls when something was kept, from any thread.
  [[nodiscard]] CommitSignal& signal() { return log_->signal(); }

  Result<void> close() { return log_->close(); }

 private:
  struct Waiting {
    std::uint64_t number = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::vector<Uuid> ids;
  };

  Outbox(std::string directory, std::size_t bytes_max, io::FileSystem& files)
      : directory_(std::move(directory)), bytes_max_(bytes_max), files_(files) {}

  Result<void> write_refused(const Batch& batch, const Error& why);
  Result<void> start(const LogOptions& options);
  Result<void> count_waiting();
  std::uint64_t note_waiting(const std::vector<event::NewEvent>& events) VIBES_REQUIRES(mutex_);
  void forget(const Waiting& batch) VIBES_REQUIRES(mutex_);
  void take_back(std::uint64_t number);

  const std::string directory_;
  const std::size_t bytes_max_;
  io::FileSystem& files_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<Reader> reader_;  // of the thread that calls next()

  mutable Mutex mutex_;
  std::deque<Waiting> waiting_ VIBES_GUARDED_BY(mutex_);                  // batches, oldest first
  std::unordered_map<Uuid, std::uint64_t> ids_ VIBES_GUARDED_BY(mutex_);  // and fingerprints
  std::uint64_t batches_ VIBES_GUARDED_BY(mutex_) = 0;                    // ever
  Load load_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t read_ VIBES_GUARDED_BY(mutex_) = 0;  // of waiting_
};

}  // namespace vibes::eventlog::remote
