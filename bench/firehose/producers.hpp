// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "firehose/raw_client.hpp"

namespace vibes::bench {

inline constexpr std::size_t kEventBytes = 300;

/// An event of about kEventBytes with a number in it.
std::string sample_event(std::uint64_t number);

struct AppendRun {
  double events_per_second = 0;
  std::vector<double> ack_us;  // one sample per message that was timed
};

/// `producers` connections, each with up to `window` messages of one event unacknowledged, for
/// `seconds`.
AppendRun run_producers(const Address& server, std::size_t producers, std::size_t window,
                        double seconds);

/// Appends `events` as fast as it goes, in batches of 500, and waits for the last ack.
void append_all(const Address& server, std::uint64_t events);

}  // namespace vibes::bench
