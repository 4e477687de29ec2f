// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "client/look_up.hpp"

namespace vibes::client {
namespace {

template <class SocketAddress>
std::vector<Address> only(const SocketAddress& address) {
  Address one{};
  std::memcpy(&one.bytes, &address, sizeof address);
  one.size = sizeof address;
  return {one};
}

}  // namespace

std::vector<Address> numeric_address(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return only(v4);
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return only(v6);
  }
  return {};
}

}  // namespace vibes::client
