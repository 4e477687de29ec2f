// SPDX-License-Identifier: MIT
#include "net/acceptor.hpp"

#include <cerrno>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace vibes::net {

namespace {

// How long to look away while nothing more may come in.
constexpr int kFullPauseMs = 20;
constexpr int kOutOfDescriptorsPauseMs = 100;

bool runs_as_us(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace

Acceptor::Acceptor(std::vector<Listener> listeners, ConnectionCounts& counts,
                   std::size_t connections_max, Adopt adopt, std::function<void()> evict)
    : listeners_(std::move(listeners)),
      counts_(counts),
      connections_max_(connections_max),
      adopt_(std::move(adopt)),
      evict_(std::move(evict)) {}

Result<void> Acceptor::start() {
  stop_event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event_) {
    return fail_errno("eventfd");
  }
  thread_ = std::jthread([this] { run(); });
  return {};
}

void Acceptor::stop() {
  if (!thread_.joinable()) {
    return;
  }
  const std::uint64_t one = 1;
  (void)!::write(stop_event_.get(), &one, sizeof one);
  thread_.join();
  listeners_.clear();
}

bool Acceptor::may_accept(Transport transport) const {
  return counts_.total.load() < connections_max_ &&
         (transport == Transport::unix_socket ||
          counts_.unauthenticated.load() < limits::kUnauthenticatedMax);
}

void Acceptor::run() {
  while (true) {
    std::vector<pollfd> fds{{stop_event_.get(), POLLIN, 0}};
    int pause_ms = -1;
    for (const Listener& listener : listeners_) {
      const bool open = may_accept(listener.transport) && !out_of_descriptors_;
      fds.push_back({open ? listener.socket.get() : -1, POLLIN, 0});
      pause_ms = open ? pause_ms : kFullPauseMs;
    }
    if (counts_.unauthenticated.load() >= limits::kUnauthenticatedMax) {
      evict_();
    }
    if (std::exchange(out_of_descriptors_, false)) {
      pause_ms = kOutOfDescriptorsPauseMs;
    }
    (void)::poll(fds.data(), fds.size(), pause_ms);
    if (fds[0].revents != 0) {
      return;
    }
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (fds[i + 1].revents != 0) {
        accept_all(listeners_[i]);
      }
    }
  }
}

void Acceptor::accept_all(const Listener& listener) {
  while (may_accept(listener.transport)) {
    UniqueFd socket(
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      out_of_descriptors_ =
          errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      return;
    }
    if (listener.transport == Transport::unix_socket) {
      if (!runs_as_us(socket.get())) {
        continue;
      }
    } else {
      const int on = 1;
      (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      counts_.unauthenticated.fetch_add(1);
    }
    counts_.total.fetch_add(1);
    adopt_(std::move(socket), listener.transport);
  }
}

}  // namespace vibes::net
