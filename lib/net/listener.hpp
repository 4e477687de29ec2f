// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vibes::net {

/// Where to listen: a loopback address and a port, 0 for any free one.
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7432;
};

/// Accepts "127.0.0.1:7432", "[::1]:0", "localhost:7432" and ":7432". Errors: not understood, or an
/// address that can be reached from other machines (that would need TLS).
Result<ListenAddress> parse_listen_address(std::string_view text);

/// Listens, without blocking. `address.port` becomes the port that was chosen. Errors:
/// address_in_use, or the system's.
Result<UniqueFd> listen_tcp(ListenAddress& address);

/// Listens on a socket of mode 0600 in a directory of mode 0700, which is made if missing. A socket
/// that a dead server has left is replaced; where a server answers, address_in_use. What is no
/// socket is left alone: file_exists.
Result<UniqueFd> listen_unix(const std::filesystem::path& path);

}  // namespace vibes::net
