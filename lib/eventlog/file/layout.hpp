// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/offset.hpp"

namespace vibes::eventlog::file {

/// The names of a log's files (docs/log-format.md, "Files"). A value.
class Layout {
 public:
  explicit Layout(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string lock() const { return directory_ + "/LOCK"; }
  [[nodiscard]] std::string durable() const { return directory_ + "/DURABLE"; }
  [[nodiscard]] std::string segments() const { return directory_ + "/log"; }
  [[nodiscard]] std::string offsets() const { return directory_ + "/offsets"; }
  [[nodiscard]] std::string quarantine() const { return directory_ + "/quarantine"; }

  [[nodiscard]] std::string segment(Offset first) const {
    return segments() + "/" + digits(first) + ".seg";
  }
  [[nodiscard]] std::string index(Offset first) const {
    return segments() + "/" + digits(first) + ".idx";
  }
  /// The next segment while it is being prepared; it has no name in the log yet.
  [[nodiscard]] std::string next_segment() const { return segments() + "/next"; }

  /// The first offset of a segment's name; nothing for other names.
  static std::optional<Offset> parse_segment_name(std::string_view name);
  static std::string digits(Offset first);

 private:
  std::string directory_;
};

}  // namespace vibes::eventlog::file
