// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vibes {

/// A moment in UTC, in microseconds since 1970-01-01. Timestamps are data: nothing is ordered by
/// them.
struct Timestamp {
  std::int64_t unix_us = 0;
  friend auto operator<=>(Timestamp, Timestamp) = default;
};

/// RFC 3339 in UTC with microseconds: "2026-01-31T23:59:59.000001Z". Always 27 characters for the
/// years 0000 to 9999.
std::string format_rfc3339(Timestamp time);
/// The same into `out`, which must have room for 27 characters. No terminator.
void format_rfc3339(Timestamp time, char* out);
/// Accepts RFC 3339 with any offset and fraction ("2026-01-31T23:59:59.5+01:00"); nothing for the
/// rest.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// Where time comes from, so that tests can own it. Thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Wall-clock time. It may step; whoever needs order keeps the largest seen.
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// Nanoseconds of a clock that never steps, for intervals and deadlines.
  [[nodiscard]] virtual std::int64_t steady_ns() const = 0;
};

/// The machine's clocks.
const Clock& system_clock();

}  // namespace vibes
