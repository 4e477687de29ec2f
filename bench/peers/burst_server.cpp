// SPDX-License-Identifier: MIT
#include "peers/burst_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr std::size_t kBurstBytes = 64U << 10U;

}  // namespace

void BurstServer::accept(std::size_t clients) {
  while (clients_.size() < clients) {
    clients_.push_back({listener_.accept()});
  }
}

void BurstServer::start() {
  thread_ = std::jthread([this] { send_everything(); });
}

void BurstServer::send_everything() {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    epoll_event event{EPOLLOUT, {.u64 = i}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, clients_[i].fd.get(), &event);
  }
  std::size_t done = 0;
  std::array<epoll_event, 256> ready{};
  while (done < clients_.size()) {
    const int count = ::epoll_wait(epoll.get(), ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      Client& client = clients_[ready.at(static_cast<std::size_t>(i)).data.u64];
      const std::size_t burst = std::min(kBurstBytes, bytes_.size() - client.sent);
      const ssize_t sent =
          ::send(client.fd.get(), bytes_.data() + client.sent, burst, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) {
        die("send");
      }
      client.sent += static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
      if (client.sent == bytes_.size()) {
        ++done;
        ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, client.fd.get(), nullptr);
      }
    }
  }
}

}  // namespace vibes::bench
