// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>

namespace vibes::bench {

/// Waits until the disk has taken what was written before, by whomever: it must not be in the way
/// of what is measured next.
void settle(const std::filesystem::path& directory);

// What the machine takes for an event, whoever asks; medians, in microseconds.

/// A pwrite of an event and fdatasync, in a file in `directory` that was written full of zeros
/// before, so that no metadata changes.
double write_and_sync_p50_us(const std::filesystem::path& directory);
/// An event there and back over TCP on the loopback interface.
double loopback_round_trip_p50_us();
/// An event to each of so many receivers over TCP on the loopback interface, one send() each, a
/// thousand times a second, while a thread receives it.
double crowd_send_p50_us(std::size_t receivers);

}  // namespace vibes::bench
