// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace vibes::verify {

/// A new directory of mode 0700 under $TMPDIR (else /tmp), removed with all it holds at the end
/// unless kept.
class PrivateDirectory {
 public:
  static Result<PrivateDirectory> make();
  PrivateDirectory(PrivateDirectory&& other) noexcept;
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  ~PrivateDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Leaves it where it is, for a person to look into.
  void keep() { kept_ = true; }
  [[nodiscard]] bool is_kept() const { return kept_; }

 private:
  explicit PrivateDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace vibes::verify
