// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"
#include "eventlog/file/codec.hpp"
#include "eventlog/file/sparse_index.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// The (type, session) pairs of a segment's events, so that a rare filter skips segments it cannot
/// match.
class Kinds {
 public:
  struct Kind {
    std::string type;
    std::string session;
    friend auto operator<=>(const Kind&, const Kind&) = default;
  };

  void add(std::string_view type, std::string_view session);
  /// From a list that is sorted and without doubles.
  static Kinds of(std::vector<Kind> sorted);
  /// There were too many to list; may_match() is then always true.
  static Kinds unknown();

  [[nodiscard]] bool may_match(const event::Filter& filter) const;
  [[nodiscard]] bool is_unknown() const { return unknown_; }
  [[nodiscard]] const std::vector<Kind>& list() const { return kinds_; }

 private:
  std::vector<Kind> kinds_;  // sorted
  std::size_t last_ = 0;     // where the kind added last is: runs of one kind are common
  bool unknown_ = false;
};

/// An event's id, where it is and what its payload was.
struct IdEntry {
  Uuid event_id;
  std::uint64_t fingerprint = 0;
  std::uint32_t ahead = 0;  // its offset minus the segment's first
};

/// What becomes of a segment's index while its events are written.
struct IndexDraft {
  Kinds kinds;
  std::vector<IdEntry> ids;  // by offset

  void add(const event::EventView& event, std::uint64_t fingerprint, Offset segment_first) {
    kinds.add(event.type, event.session);
    ids.push_back(
        {event.event_id, fingerprint, static_cast<std::uint32_t>(event.offset - segment_first)});
  }
};

/// Everything derived from one sealed segment. The log is the truth; this is dropped and rebuilt on
/// any doubt.
struct SegmentIndex {
  Uuid log_id;
  std::uint64_t segment = 0;
  Offset first;
  std::uint32_t footer_crc = 0;  // ties the index to exactly these bytes of the segment
  SparseIndex sparse;
  Kinds kinds;
  std::vector<IdEntry> ids;  // sorted by id once written or read; by offset when just built
};

/// Scans the segment. Errors: corrupt (with path and byte) or the I/O error. `bytes`: how far to
/// read.
Result<SegmentIndex> build_index(const io::File& segment, std::uint64_t bytes,
                                 const SegmentHeader& header, const std::string& path);

/// Writes it under a temporary name and renames it. Not synced: after a crash it is whole, or
/// rebuilt.
Result<void> write_index(io::FileSystem& fs, const std::string& path, SegmentIndex index);

/// What an index must belong to.
struct IndexOwner {
  Uuid log_id;
  std::uint64_t segment = 0;
  Offset first;
  std::uint64_t count = 0;
  std::uint32_t footer_crc = 0;
};

enum class IndexParts { without_ids, all };

/// Nothing if it is missing, damaged or not of this segment.
std::optional<SegmentIndex> read_index(io::FileSystem& fs, const std::string& path,
                                       const IndexOwner& owner, IndexParts parts);

/// Looks one id up by binary search, reading a block per step. Outer nothing: the index cannot be
/// used.
std::optional<std::optional<IdEntry>> find_in_index(io::FileSystem& fs, const std::string& path,
                                                    const IndexOwner& owner, const Uuid& event_id);

}  // namespace vibes::eventlog::file
