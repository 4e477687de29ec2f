// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/assert.hpp"

namespace vibes {

/// The place of an event in its log: dense, the first is 0. An Offset is not a count, an index or a
/// byte position; the difference of two offsets is a count.
class Offset {
 public:
  constexpr Offset() = default;
  explicit constexpr Offset(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

  friend constexpr auto operator<=>(Offset, Offset) = default;
  friend constexpr Offset operator+(Offset offset, std::uint64_t count) {
    return Offset(offset.value_ + count);
  }
  friend constexpr Offset operator-(Offset offset, std::uint64_t count) {
    return Offset(offset.value_ - count);
  }
  /// How many events lie in [from, to). `to` must not be before `from`.
  friend constexpr std::uint64_t operator-(Offset to, Offset from) {
    VIBES_ASSERT(to.value_ >= from.value_);
    return to.value_ - from.value_;
  }
  constexpr Offset& operator++() {
    ++value_;
    return *this;
  }
  constexpr Offset& operator+=(std::uint64_t count) {
    value_ += count;
    return *this;
  }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace vibes

template <>
struct std::hash<vibes::Offset> {
  std::size_t operator()(vibes::Offset offset) const noexcept {
    return std::hash<std::uint64_t>{}(offset.value());
  }
};
