// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::hooks {

/// A settings file that others write too. One thread at a time.
class SettingsFile {
 public:
  explicit SettingsFile(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Where the file is kept as it was before hooks were installed.
  [[nodiscard]] std::filesystem::path backup_path() const;

  /// Its bytes; nothing if there is none.
  [[nodiscard]] Result<std::optional<std::string>> read() const;
  [[nodiscard]] Result<std::optional<std::string>> read_backup() const;

  /// Replaces `before`, which read() gave, by `after`: at once and durably, whatever happens, with
  /// the mode and owner it had; where it is a link, what it links to. Makes missing folders.
  /// Errors: Errc::settings_changed, or the I/O error.
  Result<void> write(const std::optional<std::string>& before, std::string_view after) const;
  /// Removes the file, which still must be `before`.
  Result<void> remove(const std::string& before) const;

  /// Keeps `text` as the backup, in place of an older one.
  Result<void> write_backup(std::string_view text) const;
  Result<void> remove_backup() const;

 private:
  [[nodiscard]] Result<void> expect_unchanged(const std::optional<std::string>& before) const;

  std::filesystem::path path_;
};

}  // namespace vibes::hooks
