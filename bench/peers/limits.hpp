// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

namespace vibes::bench {

/// Waits until the disk has taken what was written before, by whomever: it must not be in the way
/// of what is measured next.
void settle(const std::filesystem::path& directory);
/// Uses as much memory as one measurement may write, and gives it back. The host of a virtual
/// machine may have taken free memory away, and gives a page again when it is first touched: 3 ns a
/// byte, ten times what writing it costs. What was in use a moment ago is there, as it is on a
/// machine of one's own.
void warm_memory();

// What the machine takes for an event, whoever asks; medians, in microseconds.

/// A pwrite of an event and fdatasync, in a file in `directory` that was written full of zeros
/// before, so that no metadata changes: one after the other, or one `every` so often.
double write_and_sync_p50_us(const std::filesystem::path& directory,
                             std::chrono::microseconds every = {});
/// An event there and back over TCP on the loopback interface.
double loopback_round_trip_p50_us();
/// An event to each of so many receivers over TCP on the loopback interface, one send() each, a
/// thousand times a second, while a thread receives it.
double crowd_send_p50_us(std::size_t receivers);

}  // namespace vibes::bench
