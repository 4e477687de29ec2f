// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/open.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::eventlog::remote {

/// The copy of a stream on this machine, from which everyone reads: a file log, or a memory log
/// where no directory is given. A message counts if its first offset is where the log ends: so
/// everyone who reads the stream gets the same events at the same offsets, also where two writers
/// ran into each other.
///
/// One thread applies; the rest is thread-safe.
class Replica {
 public:
  /// Called after messages were applied, with the sequence up to which they are, on the log's own
  /// thread, where the events can be read and the listeners have not been woken yet.
  using Applied = std::function<void(std::uint64_t sequence)>;

  /// `directory` (absolute, made if missing; empty: in memory) belongs to this stream alone.
  /// Copies what is missing up to the end that the stream has now. Of `options` the retention, the
  /// clock and the file system count. Errors: as open_log(); other_settings where stream and
  /// copy cannot be of one kind; of the stream.
  static Result<std::unique_ptr<Replica>> open(RemoteStream& stream, const StreamFacts& facts,
                                               std::string directory, const LogOptions& options);

  /// To be set before the first apply().
  void on_applied(Applied applied) {
    const MutexLock lock(mutex_);
    applied_listener_ = std::move(applied);
  }

  /// Takes messages, in the order of the stream. Waits where the log takes no more just now.
  /// Errors: corrupt, where the stream and this are out of step; the log's own.
  Result<void> apply(std::vector<RemoteMessage> messages);
  /// After apply() failed with storage_full: the messages behind position() are to be applied
  /// again.
  void retry();
  /// Waits until what was applied can be read.
  void drain();

  [[nodiscard]] CopyTarget& log() { return *log_; }
  /// The sequence of the newest message that apply() was given. For the thread that applies.
  [[nodiscard]] std::uint64_t handed_over() const { return handed_over_; }

  /// A place in the stream, and where the log stands there.
  struct Position {
    std::uint64_t sequence = 0;
    Offset end;
  };
  /// Everything up to it can be read here.
  [[nodiscard]] Position position() const;
  /// The time of the newest event.
  [[nodiscard]] Timestamp last_time() const;
  /// Called when another writer asks for its turn, on the thread that applies.
  void on_turn_asked(std::function<void()> listener) { turn_listener_ = std::move(listener); }
  /// Messages that are none of ours.
  [[nodiscard]] std::uint64_t foreign() const;
  /// Why that message is none of ours; nothing if it is, or if that is long ago.
  [[nodiscard]] std::optional<std::string> why_foreign(std::uint64_t sequence) const;
  /// What open() found and did; empty: nothing worth telling.
  [[nodiscard]] const std::string& report() const { return report_; }

  Result<void> close();

 private:
  Replica(std::string directory, const LogOptions& options);

  Result<void> open_log(RemoteStream& stream, const StreamFacts& facts);
  Result<void> make_new(RemoteStream& stream, const StreamFacts& facts);
  Result<void> catch_up(RemoteStream& stream, std::uint64_t last_sequence);
  Result<void> take(RemoteMessage message);
  Result<void> append(std::uint64_t sequence, RemoteBatch batch);
  void note_applied(const Result<AppendReceipt>& receipt);
  void pass(std::uint64_t sequence);
  [[nodiscard]] std::uint64_t load_sequence(Offset end) const;
  [[nodiscard]] io::FileSystem& files() const;
  Result<void> save_sequence();
  void save_now_and_then();
  [[nodiscard]] std::string log_url() const;

  const std::string directory_;
  LogOptions options_;
  std::unique_ptr<CopyTarget> log_;
  std::function<void()> turn_listener_;
  std::string report_;

  // Of the thread that applies.
  Offset next_;  // behind what was handed to the log
  std::uint64_t handed_over_ = 0;
  std::chrono::steady_clock::time_point saved_at_;

  mutable Mutex mutex_;
  CondVar changed_;
  /// Of appends without an answer: the sequence up to which all is done once it is there.
  std::deque<std::uint64_t> outstanding_ VIBES_GUARDED_BY(mutex_);
  Position position_ VIBES_GUARDED_BY(mutex_);
  Applied applied_listener_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t foreign_ VIBES_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, std::string> why_foreign_ VIBES_GUARDED_BY(mutex_);  // the newest
  Timestamp last_time_ VIBES_GUARDED_BY(mutex_);
  std::optional<Error> failed_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::remote
