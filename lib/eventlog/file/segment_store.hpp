// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/file/layout.hpp"
#include "eventlog/file/segment_index.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// What is known of a segment without opening it.
struct SegmentInfo {
  enum class State : std::uint8_t { active, sealed };
  SegmentHeader header;
  State state = State::active;
  Offset end;                    // events below it may be read
  std::uint64_t bytes = 0;       // of the file that hold batches which may be read
  std::uint64_t file_bytes = 0;  // on disk
  Timestamp first_time;
  Timestamp last_time;
  std::uint32_t footer_crc = 0;

  [[nodiscard]] IndexOwner index_owner() const {
    return {header.log_id, header.number, header.first, end - header.first, footer_crc};
  }
};

/// An open segment, as readers share it. Immutable.
struct LoadedSegment {
  std::unique_ptr<io::File> file;
  SparseIndex sparse;
  Kinds kinds = Kinds::unknown();
};

/// Where to read: a piece of one segment's file.
struct ReadPlace {
  std::shared_ptr<const io::File> file;  // shared: the file may be removed while it is read
  SegmentInfo segment;
  Stretch stretch;
};

/// The segments of a log as its readers see them, oldest first. The writer changes it, anyone reads
/// it. Keeps a bounded number of sealed segments open. Thread-safe.
class SegmentStore {
 public:
  enum class Access { read_only, read_write };

  SegmentStore(io::FileSystem& fs, Layout layout, Access access);

  // --- for the writer ---
  void add_sealed(const SegmentInfo& segment);
  void add_active(const SegmentInfo& segment, std::shared_ptr<const io::File> file,
                  SparseIndex sparse);
  /// What was written and may now be read.
  struct Progress {
    Offset end;
    std::uint64_t bytes = 0;
    Timestamp first_time;
    Timestamp last_time;
    std::vector<SparseEntry> entries;
  };
  void publish(const Progress& progress);
  void seal_active(std::uint32_t footer_crc, std::uint64_t file_bytes);
  /// Forgets the segments before `first`; returns them. Their files are the caller's to remove.
  std::vector<SegmentInfo> drop_before(Offset first);

  // --- for everyone ---
  [[nodiscard]] Offset first() const;
  [[nodiscard]] std::vector<SegmentInfo> list() const;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::size_t count() const;
  /// The segment that holds `offset`; nothing outside of what is kept.
  [[nodiscard]] std::optional<SegmentInfo> segment_of(Offset offset) const;
  /// The first segment whose last event is of `time` or later.
  [[nodiscard]] std::optional<SegmentInfo> segment_at(Timestamp time) const;

  /// The stretch that holds `offset`. Errors: corrupt, or the I/O error. Nothing if the segment is
  /// gone.
  Result<std::optional<ReadPlace>> place_of(Offset offset);
  Result<std::optional<ReadPlace>> place_at(Timestamp time);
  /// Whether a sealed segment can hold a match; true where that is not known.
  bool may_match(const SegmentInfo& segment, const event::Filter& filter);
  /// Looks an id up in one segment, in its index if it is sealed, else by scanning it.
  Result<std::optional<Offset>> find_id(const SegmentInfo& segment, const Uuid& event_id);
  /// The segment's index with its ids, built and written if need be.
  Result<SegmentIndex> index_of(const SegmentInfo& segment);
  /// Writes the index of a sealed segment, which its writer has made. Derived data: a full disk
  /// only means that it is built when it is needed.
  void keep_index(const SegmentInfo& segment, SegmentIndex index);

 private:
  struct Cached {
    std::uint64_t number = 0;
    std::shared_ptr<const LoadedSegment> loaded;
  };

  Result<std::shared_ptr<const LoadedSegment>> load(const SegmentInfo& segment);
  std::shared_ptr<const LoadedSegment> cached(std::uint64_t number);
  void remember(std::uint64_t number, std::shared_ptr<const LoadedSegment> loaded);
  Result<std::optional<ReadPlace>> place_in(const SegmentInfo& segment,
                                            std::optional<Stretch> (*choose)(const SparseIndex&,
                                                                             Offset, Timestamp),
                                            Offset offset, Timestamp time);

  io::FileSystem& fs_;
  const Layout layout_;
  const Access access_;
  mutable Mutex mutex_;
  std::deque<SegmentInfo> segments_ VIBES_GUARDED_BY(mutex_);
  std::shared_ptr<const io::File> active_file_ VIBES_GUARDED_BY(mutex_);
  SparseIndex active_sparse_ VIBES_GUARDED_BY(mutex_);
  std::list<Cached> cache_ VIBES_GUARDED_BY(mutex_);  // most recently used first
  Mutex build_mutex_;  // one index is built at a time; taken before mutex_
};

}  // namespace vibes::eventlog::file
