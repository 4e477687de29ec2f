// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "claim.hpp"
#include "peers/vibes_here.hpp"

namespace vibes::bench {

/// The parts of bench_peers_size; each adds its claims. A home without a log has a new one.

/// The directory of a log of so many GiB: makes it where there is none.
std::string large_log(const std::filesystem::path& directory, double gib);

/// From spawn to ready on the home's log, after a clean stop and after SIGKILL under load.
void measure_start(std::vector<Claim>& claims, const VibesHome& home, unsigned runs);
/// Finding a place in that log by time and by event_id, in this process.
void measure_seek(std::vector<Claim>& claims, const std::string& log, unsigned runs);
/// A server with nothing to do, and what each client with nothing to do adds.
void measure_memory(std::vector<Claim>& claims, const VibesHome& home, unsigned runs);
/// The most memory while 64 producers send what they can and 100 clients read it.
void measure_load(std::vector<Claim>& claims, const VibesHome& home);
/// Ten thousand idle clients, and one event for all of them.
void measure_crowd(std::vector<Claim>& claims, const VibesHome& home);
/// Appending and catching up on logs of these many events, each set beside the first.
void measure_growth(std::vector<Claim>& claims, const VibesHome& home,
                    const std::vector<std::uint64_t>& sizes, unsigned runs);

}  // namespace vibes::bench
