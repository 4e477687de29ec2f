// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "eventlog/event_log.hpp"
#include "eventlog/file/file_group_offsets.hpp"
#include "eventlog/file/file_reader.hpp"

namespace vibes::eventlog::file {

/// A file log as it is right now, for tools: takes no lock, changes no byte, does not follow.
/// Beside a running daemon it ends at the last whole batch.
class ReadOnlyLog final : public EventLog {
 public:
  static Result<std::unique_ptr<ReadOnlyLog>> open(io::FileSystem& fs,
                                                   const std::string& directory);

  [[nodiscard]] Uuid log_id() const override { return log_id_; }
  Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) override;
  Result<std::unique_ptr<Reader>> reader(const Position& position) override;
  Result<Offset> resolve(const Position& position) override;
  [[nodiscard]] Offset first() const override { return store_.first(); }
  [[nodiscard]] CommitSignal& signal() const override { return signal_; }
  [[nodiscard]] GroupOffsets& group_offsets() override { return *groups_; }
  [[nodiscard]] LogStatus status() const override;
  Result<void> close() override { return {}; }

 private:
  ReadOnlyLog(io::FileSystem& fs, Layout layout, const Uuid& log_id, Offset end);
  static Result<std::unique_ptr<ReadOnlyLog>> try_open(io::FileSystem& fs, const Layout& layout);
  [[nodiscard]] ReadSource source() const;

  const Layout layout_;
  const Uuid log_id_;
  mutable SegmentStore store_;
  TailCache tail_;  // stays empty
  mutable CommitSignal signal_;
  std::unique_ptr<FileGroupOffsets> groups_;
  std::string recovery_;
};

}  // namespace vibes::eventlog::file
