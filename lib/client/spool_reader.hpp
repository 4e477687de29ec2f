// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::client {

/// Reads the lines of a spool file from a byte position on. A last line without newline is not
/// there.
class SpoolReader {
 public:
  /// A line that is no spooled event: somebody else has written here.
  struct Damaged {
    std::string text;
    std::string why;
  };
  struct Batch {
    std::vector<event::NewEvent> events;
    std::vector<Damaged> damaged;
  };

  /// `fd` is borrowed.
  SpoolReader(int fd, std::uint64_t position) : fd_(fd), position_(position) {}

  /// The next whole lines, about `bytes` of them and at least one if there is one.
  Result<Batch> next(std::size_t bytes);
  /// Where the next line begins.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  int fd_;
  std::uint64_t position_;
};

}  // namespace vibes::client
