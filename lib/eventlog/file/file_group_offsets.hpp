// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "base/uuid.hpp"
#include "eventlog/file/layout.hpp"
#include "eventlog/group_offsets.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// One small file per group in offsets/. A commit writes a new file, syncs it, renames it over the
/// old one and syncs the directory: after a crash there is the old commit or the new one.
class FileGroupOffsets final : public GroupOffsets {
 public:
  enum class Access { read_only, read_write };
  /// What a commit past the end of the log means.
  enum class BeyondEnd {
    refuse,  // events that were acknowledged as durable are gone
    clamp,   // the log was written without syncs, and the machine stopped: read on from its end
  };
  /// Reads all groups. Errors: corrupt (a damaged file, or a commit past `end`),
  /// unsupported_format, or the I/O error.
  static Result<std::unique_ptr<FileGroupOffsets>> open(io::FileSystem& fs, const Layout& layout,
                                                        const Uuid& log_id, Offset end,
                                                        Access access, BeyondEnd beyond);

  /// `end` tells where the log ends now.
  void set_end(std::function<Offset()> end) { end_ = std::move(end); }

  Result<void> commit(std::string_view group, Offset next) override;
  [[nodiscard]] std::optional<Offset> committed(std::string_view group) const override;
  [[nodiscard]] std::map<std::string, Offset, std::less<>> all() const override;
  Result<void> remove(std::string_view group) override;

 private:
  FileGroupOffsets(io::FileSystem& fs, const Layout& layout, const Uuid& log_id, Access access);
  Result<void> load(Offset end, BeyondEnd beyond);
  [[nodiscard]] std::string path_of(std::string_view group) const;
  Result<void> write(std::string_view group, Offset next);

  io::FileSystem& fs_;
  const Layout layout_;
  const Uuid log_id_;
  const Access access_;
  std::function<Offset()> end_;
  Mutex writing_;  // one commit at a time; taken before mutex_
  mutable Mutex mutex_;
  std::map<std::string, Offset, std::less<>> groups_ VIBES_GUARDED_BY(mutex_);
};

/// What a file in offsets/ says. Errors: corrupt, unsupported_format; the context says what is
/// wrong.
struct GroupCommit {
  std::string group;
  Uuid log_id;
  Offset next;
};
Result<GroupCommit> parse_group_file(std::string_view bytes);
Result<GroupCommit> read_group_file(io::FileSystem& fs, const std::string& path);
std::string encode_group_file(const GroupCommit& commit);

}  // namespace vibes::eventlog::file
