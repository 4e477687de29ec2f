// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vibes::session {

/// The last `capacity` bytes of a stream. Bytes are named by their position in the stream since it
/// began, so that every reader is a number and none needs a queue. Not thread-safe.
class Scrollback {
 public:
  /// `capacity` is at least 1. Memory is taken at the first append.
  explicit Scrollback(std::size_t capacity);

  void append(std::string_view bytes);
  /// Gives the memory back; begin() becomes end().
  void clear();

  [[nodiscard]] std::uint64_t begin() const { return begin_; }  // the oldest byte kept
  [[nodiscard]] std::uint64_t end() const { return end_; }      // the next byte to come

  /// [from, to), which must lie within [begin(), end()].
  [[nodiscard]] std::string copy(std::uint64_t from, std::uint64_t to) const;

  /// Where a terminal can start reading at or after `from`: `from` itself where the stream begins
  /// there, else after the next line feed nearby, so that it does not start inside an escape
  /// sequence or a character.
  [[nodiscard]] std::uint64_t clean_start(std::uint64_t from) const;

 private:
  [[nodiscard]] char at(std::uint64_t position) const {
    return ring_[static_cast<std::size_t>(position % capacity_)];
  }

  std::size_t capacity_;
  std::unique_ptr<char[]> ring_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

/// How many bytes at the end of `bytes` are the start of a UTF-8 character whose rest is missing: 0
/// to 3.
std::size_t incomplete_utf8_tail(std::string_view bytes);

}  // namespace vibes::session
