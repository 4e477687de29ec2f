// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/clock.hpp"

namespace vibes::cli {

/// "Nov 23 13:27:01.123" in local time, always 19 columns.
std::string local_time_short(Timestamp time);
/// "2026-11-23 13:27:01" in local time.
std::string local_time_long(Timestamp time);

}  // namespace vibes::cli
