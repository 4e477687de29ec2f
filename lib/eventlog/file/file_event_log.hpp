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
/// append() puts into a bounded queue. The writer thread takes what is there, makes one batch of
/// it, writes and syncs it, moves the end, hands out the acks and wakes the listeners; what arrives
/// meanwhile is the next group. There is no timer in that: a lone append is written at once.
class FileEventLog final : public CopyTarget {
 public:
  static Result<std::unique_ptr<FileEventLog>> open(
      const std::string& directory, const LogOptions& options,
      Housekeeping housekeeping = Housekeeping::background);
  ~FileEventLog() override;

  [[nodiscard]] Uuid log_id() const override { return log_id_; }
  Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) override;
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
  std::deque<PendingAppend> take_group();
  void commit(std::deque<PendingAppend> appends);
  Result<void> write_group(AppendGroup& group);
  void acknowledge(AppendGroup& group);
  void settle_failure(AppendGroup& group, const Error& error);
  void rest();
  void finish();
  Result<void> sync_and_mark(format::SlotState state);
  Result<void> retain();
  void watch_space();
  void probe();
  void enter_full(const std::string& why);
  void enter_failed(const Error& error);
  void refuse_queued(const Error& error);
  /// Every error of the writer ends here unless it belongs to an append.
  void note(const Result<void>& result);
  [[nodiscard]] Clockwork::time_point next_wake() const;
  Timestamp next_time(const std::optional<Timestamp>& recorded);
  Result<void> enqueue(PendingAppend pending);

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

  mutable Mutex window_mutex_;
  IdWindow window_ VIBES_GUARDED_BY(window_mutex_);

  // Owned by the writer thread.
  std::unique_ptr<LogWriter> writer_;
  UuidV7Generator ids_;
  Timestamp last_time_;
  Timestamp new_from_;  // of what is recorded here and not copied
  Clockwork::time_point last_write_{};
  Clockwork::time_point last_sync_{};
  Clockwork::time_point last_space_check_{};
  Clockwork::time_point last_retention_{};
  std::size_t segments_at_retention_ = 0;

  std::atomic<LogStatus::State> state_{LogStatus::State::writable};
  mutable Mutex queue_mutex_;
  CondVar queue_changed_;
  std::deque<PendingAppend> queue_ VIBES_GUARDED_BY(queue_mutex_);
  std::size_t queued_bytes_ VIBES_GUARDED_BY(queue_mutex_) = 0;
  bool closing_ VIBES_GUARDED_BY(queue_mutex_) = false;
  std::string reason_ VIBES_GUARDED_BY(queue_mutex_);
  std::string recovery_;

  Mutex close_mutex_;  // one close() at a time; taken before all others
  std::thread thread_;
};

}  // namespace vibes::eventlog::file
