// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace vibes::ctl {

/// A file that holds one cursor. It is replaced as a whole (temporary file, rename), so that a kill
/// at any time leaves the old cursor or the new one; it is synced to disk at most once a second and
/// at the end, since an older cursor only means that some events are printed again. One thread at a
/// time.
class CursorFile {
 public:
  explicit CursorFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// Nothing if the file is missing or empty.
  Result<std::optional<std::string>> load() const;
  Result<void> save(const std::string& cursor);
  /// Puts the last save() on disk.
  Result<void> sync();

 private:
  Result<void> replace(const std::string& cursor, bool durable);

  std::filesystem::path file_;
  std::string saved_;
  bool synced_ = true;
  std::chrono::steady_clock::time_point synced_at_{};
};

}  // namespace vibes::ctl
