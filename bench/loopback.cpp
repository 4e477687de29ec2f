// SPDX-License-Identifier: MIT
#include "loopback.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>

#include "base/unique_fd.hpp"

namespace vibes::bench {
namespace {

constexpr std::size_t kBytes = 300;  // an event

[[noreturn]] void fail_at(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Pair {
  UniqueFd near;
  UniqueFd far;
};

Pair connected_pair() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);  // as the socket calls want it
  if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0) {
    fail_at("listen");
  }
  Pair pair{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), UniqueFd()};
  if (::connect(pair.near.get(), generic, size) != 0) {
    fail_at("connect");
  }
  pair.far = UniqueFd(::accept(listener.get(), nullptr, nullptr));
  const int on = 1;
  (void)::setsockopt(pair.near.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(pair.far.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return pair;
}

void echo(int fd) {
  std::array<char, kBytes> bytes{};
  while (::recv(fd, bytes.data(), bytes.size(), MSG_WAITALL) ==
             static_cast<ssize_t>(bytes.size()) &&
         ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
}

}  // namespace

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::vector<double> loopback_round_trips_us(int times) {
  const Pair pair = connected_pair();
  const std::jthread peer([&pair] { echo(pair.far.get()); });
  std::array<char, kBytes> bytes{};
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (::send(pair.near.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL) < 0) {
      fail_at("loopback");
    }
    samples.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  ::shutdown(pair.near.get(), SHUT_RDWR);
  return samples;
}

}  // namespace vibes::bench
