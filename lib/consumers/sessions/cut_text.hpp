// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vibes::consumers {

/// Text that grows to limits::kTranscriptTextBytesMax bytes and then only counts what it leaves
/// out. Plain data.
struct CutText {
  std::string text = {};
  std::uint64_t left_out = 0;  // bytes behind `text`

  void append(std::string_view more);
  [[nodiscard]] bool empty() const { return text.empty() && left_out == 0; }
  /// The text; a cut one with a mark that says how much is missing.
  [[nodiscard]] std::string shown() const;
};

CutText cut(std::string_view text);

}  // namespace vibes::consumers
