// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "eventlog/commit_signal.hpp"
#include "eventlog/file/segment_store.hpp"
#include "eventlog/file/tail_cache.hpp"
#include "eventlog/position.hpp"
#include "eventlog/reader.hpp"

namespace vibes::eventlog::file {

/// What a reader reads from. Borrowed; outlives the readers.
struct ReadSource {
  SegmentStore& segments;
  const TailCache& tail;
  const CommitSignal& signal;
  const Layout& layout;
  Seal seal;
};

/// A piece of the log whose records were verified and can be shown: of the tail in memory, or read
/// from disk.
class Piece {
 public:
  virtual ~Piece() = default;
  Piece() = default;
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  [[nodiscard]] virtual Offset first() const = 0;
  [[nodiscard]] virtual Offset end() const = 0;
  [[nodiscard]] virtual event::EventView event(Offset offset) const = 0;
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

/// Reads one stretch of a segment and verifies its records. Errors: corrupt, or the I/O error.
Result<std::unique_ptr<Piece>> read_stretch(const ReadPlace& place, const Seal& seal,
                                            const std::string& path);

/// Every position but AtEventId. Errors: out_of_range, corrupt, or the I/O error.
Result<Offset> resolve_without_ids(const ReadSource& source, const Position& position);

/// A Reader over the segments and the tail.
class FileReader final : public Reader {
 public:
  FileReader(const ReadSource& source, Offset position);

  Result<ReadBatch> read(const ReadRequest& request) override;
  Result<ReadBatch> read_back(const ReadRequest& request) override;
  [[nodiscard]] Offset position() const override { return position_; }
  void seek(Offset offset) override;

 private:
  struct Budget;

  void start(const ReadRequest& request);
  /// The piece that holds `offset`, kept until the next call. Nullptr if the segment went away
  /// meanwhile.
  Result<const Piece*> piece_of(Offset offset);
  /// Where the sealed segment of `offset` cannot match, its end (or its first).
  std::optional<SegmentInfo> skippable(Offset offset, const ReadRequest& request);

  ReadSource source_;
  Offset position_;
  std::vector<std::shared_ptr<const Piece>> pieces_;  // those the last result shows
  std::vector<event::EventView> events_;
};

}  // namespace vibes::eventlog::file
