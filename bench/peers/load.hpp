// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "peers/endpoint.hpp"

namespace vibes::bench {

/// `connections`, each of which keeps `window` events in flight, for `seconds`.
struct Load {
  std::size_t connections = 1;
  std::size_t window = 1;
  double seconds = 1;
};

struct LoadResult {
  double events_per_second = 0;
  double ack_p50_us = 0;  // of a window of 1 only
};

/// Runs the load from this thread, until the last event is acknowledged. What has been acknowledged
/// is replaced in one write as soon as it is a quarter of the window.
LoadResult run_load(const Endpoint& endpoint, const Load& load);

}  // namespace vibes::bench
