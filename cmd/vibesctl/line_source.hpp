// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vibes::ctl {

/// Reads lines from a descriptor as they come: a call gives what is there, so that a slow writer's
/// line is not kept waiting for the next one, and a fast writer's lines come many at a time.
class LineSource {
 public:
  explicit LineSource(int fd) : fd_(fd) {}

  struct Lines {
    std::vector<std::string_view> lines;  // without newline; valid until the next call
    std::size_t first_number = 1;         // of the first of them, from 1
    bool overlong = false;                // the last of them was longer than the limit and is cut
    bool at_end = false;
  };
  /// Waits for at least one whole line or the end; gives at most about `bytes`. A last line without
  /// newline counts.
  Result<Lines> next(std::size_t bytes);
  /// Whether next() would have something without waiting; reads what is there.
  Result<bool> ready(std::size_t bytes);

 private:
  [[nodiscard]] bool has_line() const;
  Result<void> read_more(std::size_t bytes);

  int fd_;
  std::string buffer_;
  std::size_t used_ = 0;  // of buffer_, handed out by the last call
  std::size_t number_ = 1;
  bool skipping_ = false;  // the rest of an overlong line
  bool ended_ = false;
};

/// All of a descriptor, at most `bytes_max`; more is an error.
Result<std::string> read_all(int fd, std::size_t bytes_max);

}  // namespace vibes::ctl
