// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace vibes::cli {

/// How people write durations: "30" (seconds), "1.5s", "250ms", "2h30m", "7d", "1w". Never
/// negative. Errors: std::errc::invalid_argument, saying what is expected.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// How people write sizes: "512", "64KiB", "64k", "1.5GiB", "2GB"; k, M, G mean 1024 each, as with
/// dd(1) and systemd.
Result<std::uint64_t> parse_size(std::string_view text);

/// How people write moments, as journalctl(1) has it: RFC 3339; "now", "today", "yesterday"
/// (midnight, local time); "-1h" and "1h ago" (before `now`), "+5m"; "2026-01-31", "2026-01-31
/// 10:00", "2026-01-31 10:00:30", "10:00" in local time.
Result<Timestamp> parse_time(std::string_view text, Timestamp now);

}  // namespace vibes::cli
