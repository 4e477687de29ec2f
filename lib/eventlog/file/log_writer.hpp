// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/housekeeper.hpp"
#include "eventlog/file/recovery.hpp"
#include "eventlog/file/segment_store.hpp"

namespace vibes::eventlog::file {

/// What the writer needs to know of the options.
struct WriterOptions {
  std::uint64_t segment_bytes = limits::kSegmentBytes;
  bool syncs_each_batch = true;
};

/// Writes batches into segments. Owned by the writer thread.
///
/// Every error is one of two: Errc::storage_full (nothing was changed, the disk is as before; try
/// again when there is space) or Errc::failed (nothing is known about the disk any more; no further
/// call may be made).
class LogWriter {
 public:
  LogWriter(io::FileSystem& fs, Layout layout, const Clock& clock, SegmentStore& store,
            Housekeeper& housekeeper, DurableSlots slots, const WriterOptions& options);

  /// Goes on where recovery stopped.
  void resume(RecoveredLog::Active active);
  /// Goes on behind a sealed segment (or, with nothing, at the start of a new log).
  struct Start {
    Uuid log_id;
    std::uint64_t epoch = 0;
    Offset first;
    Offset end;
    std::optional<SegmentInfo> after;
  };
  void begin(const Start& start);

  /// The records of a batch, in order.
  struct Records {
    std::span<const std::uint32_t> positions;     // in the batch
    std::span<const std::uint64_t> fingerprints;  // IdWindow::fingerprint() of their payloads
  };
  /// Makes sure that a segment is open that has room for a batch with this body.
  Result<void> make_room(std::size_t body_bytes);
  /// Whether a batch whose records have `bytes` fits into the active segment.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  /// Has the active segment filled with zeros beside the appends, which one that was prepared
  /// already is.
  void fill_active();
  /// Has the segment after the active one prepared beside the appends.
  void prepare_next();
  /// Seals the active segment, whatever room it has, and opens the next one.
  Result<void> roll() { return open_next(0); }
  /// Writes a batch of events, whose header is filled in here, at the end of the active segment.
  /// Not synced.
  Result<void> write(std::span<std::byte> batch, const Records& records, Timestamp time);
  /// Takes the last write() back, for good.
  Result<void> take_back();
  Result<void> sync();
  /// Shows readers everything written so far.
  void publish();
  /// Writes a DURABLE slot. Everything written must have been synced. After storage_full the slot
  /// before stands, which is still true.
  Result<void> mark(format::SlotState state);
  /// Reserves the space that the active segment may have lost.
  Result<void> reserve_active();
  /// The same and what the next segment needs.
  Result<void> reserve();
  /// Removes whole segments before `first`.
  Result<void> drop_before(Offset first);

  [[nodiscard]] Offset end() const { return end_; }
  [[nodiscard]] bool is_synced() const { return synced_end_ == end_ && !unsynced_; }
  [[nodiscard]] bool is_marked() const { return marked_end_ == end_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  struct ActiveFile {
    SegmentHeader header;
    std::shared_ptr<io::File> file;  // shared with the readers
    std::uint64_t position = 0;      // where the next batch goes
    std::uint64_t writeback = 0;     // the disk has begun with what is before it
    std::uint32_t chain = 0;
    std::uint64_t batches = 0;
    Offset end;
    Timestamp first_time;
    Timestamp last_time;
    SparseIndex sparse;
    std::size_t published_entries = 0;
    /// Of all its events; nothing where some were written by a run before this one.
    std::optional<IndexDraft> draft;
  };
  /// The state before the last write().
  struct Before {
    std::uint64_t position = 0;
    std::uint32_t chain = 0;
    Timestamp last_time;
    std::size_t entries = 0;
  };

  [[nodiscard]] std::uint64_t capacity_for(std::size_t body_bytes) const;
  Result<void> open_next(std::size_t body_bytes);
  Result<void> seal();
  std::optional<SegmentIndex> take_index(std::uint32_t footer_crc);
  void note_records(std::span<const std::byte> batch, const Records& records, Offset first);
  Result<void> create_segment(std::size_t body_bytes);
  Result<void> write_batch(BatchHeader& header, std::span<std::byte> batch);
  void begin_writeback();
  Result<void> mark_with(format::SlotState state, Offset first);

  io::FileSystem& fs_;
  const Layout layout_;
  const Clock& clock_;
  SegmentStore& store_;
  Housekeeper& housekeeper_;
  DurableSlots slots_;
  const WriterOptions options_;

  Uuid log_id_;
  Seal seal_{Uuid{}};
  std::uint64_t epoch_ = 0;
  std::optional<ActiveFile> active_;
  Before before_;  // what take_back() returns to
  std::uint64_t next_number_ = 0;
  std::uint32_t last_footer_crc_ = 0;
  Offset end_;
  Offset synced_end_;
  bool unsynced_ = false;
  Offset marked_end_;
  std::unique_ptr<io::File> next_file_;  // taken from the housekeeper, not used yet
};

}  // namespace vibes::eventlog::file
