// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <variant>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/uuid.hpp"

namespace vibes::eventlog {

struct Beginning {};  // the oldest event kept
struct End {};        // the next event to be appended
/// The `count`-th event from the end, or the oldest kept if there are fewer.
struct FromEnd {
  std::uint64_t count = 0;
};
/// The first event appended at or after `time`, or the end.
struct AtTime {
  Timestamp time;
};
/// The event with this id.
struct AtEventId {
  Uuid event_id;
};

/// Where a reader starts. An Offset below first() is allowed: the first read reports the gap.
using Position = std::variant<Beginning, End, Offset, FromEnd, AtTime, AtEventId>;

}  // namespace vibes::eventlog
