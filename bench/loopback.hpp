// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <vector>

namespace vibes::bench {

/// 127.0.0.1 and this port; 0: one that nobody has.
sockaddr_in loopback(int port);

/// How long 300 bytes take there and back over TCP on the loopback interface, in microseconds, that
/// many times. Ends the program with a message where there can be no connection.
std::vector<double> loopback_round_trips_us(int times);

}  // namespace vibes::bench
