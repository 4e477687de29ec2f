// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/file/append_group.hpp"
#include "eventlog/file/file_group_offsets.hpp"
#include "eventlog/file/file_reader.hpp"
#include "eventlog/file/log_writer.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog::file {

/// The file engine: one directory, one writer thread, group commit.
///
/// append() puts into a bounded queue. Whoever commits takes what is there, makes one batch of it,
/// writes and syncs it, moves the end, hands out the acks and wakes the listeners; what arrives
/// meanwhile is the next group. There is no timer in that: a lone append is written at once.
///
/// Who commits: the writer thread; or in drive() the caller, where there is little to commit and
/// the disk has been quick, because two hops between threads cost as much as such a sync.
class FileEventLog final : public CopyTarget {
 public:
  static Result<std::unique_ptr<FileEventLog>> open(
      const std::string& directory, const LogOptions& options,
      Housekeeping housekeeping = Housekeeping::background);
  ~FileEventLog() override;

  [[nodiscard]] Uuid log_id() const override { return log_id_; }
  Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) override;
  Result<std::size_t> append_bundle(AppendBundle& bundle, BundleDone done) override;
  void drive() override;
  Result<void> append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                               AppendDone done) override;
  [[nodiscard]] std::optional<IdWindow::Known> known(const Uuid& event_id) const override;
  Result<std::unique_ptr<Reader>> reader(const Position& position) override;
  Result<Offset> resolve(const Position& position) override;
  [[nodiscard]] Offset first() const override { return store_.first(); }
  [[nodiscard]] CommitSignal& signal() const override { return *signal_; }
  [[nodiscard]] GroupOffsets& group_offsets() override { return *groups_; }
  [[nodiscard]] LogStatus status() const override;
  Result<void> close() override;

 private:
  using Clockwork = std::chrono::steady_clock;

  FileEventLog(io::FileSystem& fs, Layout layout, const LogOptions& options,
               Housekeeping housekeeping);

  // Opening.
  Result<void> start(RecoveredLog recovered, DurableSlots slots);
  Result<void> load_window(const RecoveredLog& recovered);

  // The writer thread.
  void run();
  void wait_for_call(Clockwork::time_point until);
  [[nodiscard]] bool is_over() const;

  // Whoever commits.
  std::deque<PendingAppend> take_group() VIBES_REQUIRES(writing_);
  void commit(std::deque<PendingAppend> appends) VIBES_REQUIRES(writing_);
  Result<void> write_group(AppendGroup& group) VIBES_REQUIRES(writing_);
  Result<void> sync_timed() VIBES_REQUIRES(writing_);
  void acknowledge(AppendGroup& group) VIBES_REQUIRES(writing_);
  void settle_failure(AppendGroup& group, const Error& error) VIBES_REQUIRES(writing_);
  void rest() VIBES_REQUIRES(writing_);
  void finish() VIBES_REQUIRES(writing_);
  void tend() VIBES_REQUIRES(writing_);
  Result<void> sync_and_mark(format::SlotState state) VIBES_REQUIRES(writing_);
  Result<void> retain() VIBES_REQUIRES(writing_);
  void watch_space() VIBES_REQUIRES(writing_);
  void probe() VIBES_REQUIRES(writing_);
  void enter_full(const std::string& why) VIBES_REQUIRES(writing_);
  void enter_failed(const Error& error) VIBES_REQUIRES(writing_);
  void refuse_queued(const Error& error);
  /// Every error of the writer ends here unless it belongs to an append.
  void note(const Result<void>& result) VIBES_REQUIRES(writing_);
  [[nodiscard]] Clockwork::time_point next_wake() const VIBES_REQUIRES(writing_);
  Timestamp next_time(const std::optional<Timestamp>& recorded) VIBES_REQUIRES(writing_);

  // Whoever appends.
  Result<void> check_takes(std::size_t bytes) const VIBES_REQUIRES(queue_mutex_);
  Result<void> append_one(std::vector<event::NewEvent> batch, std::optional<Timestamp> recorded,
                          AppendDone done);
  void enqueue(PendingAppend pending) VIBES_REQUIRES(queue_mutex_);
  void call_writer() VIBES_REQUIRES(queue_mutex_);
  [[nodiscard]] bool take_turn() VIBES_TRY_ACQUIRES(writing_);

  [[nodiscard]] ReadSource source() const;
  Result<std::optional<Offset>> find_id(const Uuid& event_id);
  [[nodiscard]] LogStatus::State state() const { return state_.load(std::memory_order_acquire); }
  void set_state(LogStatus::State state, const std::string& reason);

  io::FileSystem& fs_;
  const Layout layout_;
  const LogOptions options_;
  const Clock& clock_;
  std::unique_ptr<io::FileLock> lock_;
  Uuid log_id_;
  Seal seal_{Uuid{}};
  mutable SegmentStore store_;
  TailCache tail_;
  std::unique_ptr<CommitSignal> signal_;
  std::unique_ptr<FileGroupOffsets> groups_;
  Housekeeper housekeeper_;
  const bool reads_ahead_;  // at the start, with a second thread

  mutable Mutex window_mutex_;
  IdWindow window_ VIBES_GUARDED_BY(window_mutex_);

  Mutex writing_;  // held by whoever commits
  std::unique_ptr<LogWriter> writer_ VIBES_GUARDED_BY(writing_);
  UuidV7Generator ids_ VIBES_GUARDED_BY(writing_);
  Timestamp last_time_ VIBES_GUARDED_BY(writing_);
  Timestamp new_from_ VIBES_GUARDED_BY(writing_);  // of what is recorded here and not copied
  Clockwork::time_point last_write_ VIBES_GUARDED_BY(writing_){};
  Clockwork::time_point last_sync_ VIBES_GUARDED_BY(writing_){};
  Clockwork::time_point last_space_check_ VIBES_GUARDED_BY(writing_){};
  Clockwork::time_point last_retention_ VIBES_GUARDED_BY(writing_){};
  std::size_t segments_at_retention_ VIBES_GUARDED_BY(writing_) = 0;
  std::atomic<std::chrono::nanoseconds> sync_takes_{};  // on average; written with writing_ held

  std::atomic<LogStatus::State> state_{LogStatus::State::writable};
  mutable Mutex queue_mutex_;
  CondVar queue_changed_;
  std::deque<PendingAppend> queue_ VIBES_GUARDED_BY(queue_mutex_);
  std::size_t queued_bytes_ VIBES_GUARDED_BY(queue_mutex_) = 0;
  bool called_ VIBES_GUARDED_BY(queue_mutex_) = false;  // the writer thread, which will look
  bool closing_ VIBES_GUARDED_BY(queue_mutex_) = false;
  std::string reason_ VIBES_GUARDED_BY(queue_mutex_);
  std::string recovery_;

  Mutex close_mutex_;  // one close() at a time; taken before all others
  std::thread thread_;
};

}  // namespace vibes::eventlog::file
