// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/limits.hpp"

namespace vibes::event {

/// simdjson's parser and the padded copy of the text that it wants, to be kept: making one costs
/// more than most parses. One thread at a time.
class PaddedParser {
 public:
  explicit PaddedParser(std::size_t depth_max) : depth_max_(depth_max) {}

  /// What is inside `root` lives until the next call. False: the parser refuses.
  bool parse(std::string_view text, simdjson::dom::element& root) {
    if ((text.size() > capacity_ || buffer_.empty()) && !grow(text.size())) {
      return false;
    }
    text.copy(buffer_.data(), text.size());  // std::ranges::copy() goes byte by byte
    std::memset(buffer_.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    return parser_.parse(buffer_.data(), text.size(), false).get(root) == simdjson::SUCCESS;
  }

  /// Gives back what a rare large text needed, and with it what parse() gave.
  void shrink() {
    if (capacity_ > kKeptBytes) {
      *this = PaddedParser(depth_max_);
    }
  }

 private:
  static constexpr std::size_t kFirstBytes = 4 * limits::kKiB;
  static constexpr std::size_t kKeptBytes = 256 * limits::kKiB;

  bool grow(std::size_t bytes) {
    capacity_ = std::max(kFirstBytes, bytes + bytes / 2);
    buffer_.resize(capacity_ + simdjson::SIMDJSON_PADDING);
    return parser_.allocate(capacity_, depth_max_) == simdjson::SUCCESS;
  }

  std::size_t depth_max_;
  std::size_t capacity_ = 0;
  std::vector<char> buffer_;
  simdjson::dom::parser parser_;
};

}  // namespace vibes::event
