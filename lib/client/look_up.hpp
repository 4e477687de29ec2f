// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "base/result.hpp"

namespace vibes::client {

struct Address {
  sockaddr_storage bytes;
  socklen_t size;
};

/// The TCP addresses of a host, in the order in which they are to be tried. Asks the system, which
/// may ask the network. Error: Errc::cannot_connect, with what the system says.
Result<std::vector<Address>> look_up(const std::string& host, std::uint16_t port);

/// The address that `host` is the numbers of, as in 127.0.0.1 or ::1; none where it is a name. Asks
/// nobody.
std::vector<Address> numeric_address(const std::string& host, std::uint16_t port);

}  // namespace vibes::client
