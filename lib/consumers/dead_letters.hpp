// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace vibes::io {
class FileSystem;
class File;
}  // namespace vibes::io

namespace vibes::consumers {

/// An event that a group has given up on.
struct DeadLetter {
  Offset offset;
  std::optional<Uuid> event_id;  // none where the event is no longer kept
  std::string_view reason;       // cut at limits::kDeadLetterReasonBytesMax
  std::uint64_t attempts = 0;
  Timestamp time;
};

/// The dead letters of every group: one file of JSON lines each, GROUP.jsonl, synced line by line.
/// A line cut by a crash was never reported as kept and is cut off when the files are opened. Where
/// a file would grow over limits::kDeadLetterFileBytesMax the older half of its lines goes. Without
/// a directory only the newest are kept, in memory. Thread-safe.
class DeadLetters {
 public:
  /// `directory` is an absolute path, made if missing, or empty. Errors: the I/O error.
  static Result<std::unique_ptr<DeadLetters>> open(std::string directory,
                                                   io::FileSystem& file_system);

  /// Durable when it returns. An event whose letter is kept already is not written again, so that
  /// one which is handed over twice is one letter. After an error the letter is not kept; after a
  /// failed sync nothing more is taken for this group until the process starts again.
  Result<void> add(std::string_view group, const DeadLetter& letter);
  /// How many were kept when the files were opened, and have been added since.
  [[nodiscard]] std::uint64_t count(std::string_view group) const;
  /// The newest whole lines, oldest first, at most `bytes_max`.
  [[nodiscard]] Result<std::string> newest(std::string_view group, std::size_t bytes_max) const;
  /// Does nothing for a group without dead letters.
  Result<void> remove(std::string_view group);

 private:
  struct Letters {
    std::uint64_t count = 0;
    std::set<Offset> offsets;     // of the letters that are kept
    std::uint64_t bytes = 0;      // of the file's whole lines
    std::string recent;           // without a directory: the lines themselves
    std::optional<Error> failed;  // a sync failed
  };

  DeadLetters(std::string directory, io::FileSystem& file_system)
      : directory_(std::move(directory)), file_system_(file_system) {}

  [[nodiscard]] std::string path_of(std::string_view group) const;
  Result<void> load() VIBES_REQUIRES(mutex_);
  Result<Letters> load_file(const std::string& path);
  Result<std::string> read(const std::string& path, std::uint64_t from, std::uint64_t to) const;
  Result<void> drop_older_half(std::string_view group, Letters& letters);
  Result<std::unique_ptr<io::File>> open_file(std::string_view group, const Letters& letters);
  Result<void> write(std::string_view group, Letters& letters, const std::string& line);

  const std::string directory_;
  io::FileSystem& file_system_;
  mutable Mutex mutex_;
  std::map<std::string, Letters, std::less<>> groups_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::consumers
