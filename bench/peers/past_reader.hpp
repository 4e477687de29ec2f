// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace vibes::bench {

/// How long a firehose client takes for the events [from, until), in us. Ends the program where it
/// does not get each of them.
double catch_up_us(int port, std::uint64_t from, std::uint64_t until);

}  // namespace vibes::bench
