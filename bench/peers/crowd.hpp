// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {

/// Many subscribers in one thread, each with a Counter (peers/wire.hpp) for its bytes: as cheap as
/// a reader can be that looks at what it gets, so that what is measured is the server.
template <class Counter>
class Crowd {
 public:
  Crowd() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), piece_(kPieceBytes) {}

  void add(UniqueFd fd, Counter counter) {
    epoll_event event{EPOLLIN, {.u64 = members_.size()}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
      die("epoll_ctl");
    }
    members_.push_back({std::move(fd), std::move(counter)});
  }
  [[nodiscard]] std::size_t size() const { return members_.size(); }

  /// Until each has `events` in all, or the time is over; returns how many have them.
  std::size_t read_until(std::uint64_t events, double within_us = kForeverUs) {
    const double give_up = now_us() + within_us;
    std::size_t waiting = 0;
    for (const Member& member : members_) {
      waiting += member.counter.events() < events ? 1U : 0U;
    }
    std::array<epoll_event, 256> ready{};
    while (waiting > 0 && (within_us == kForeverUs || now_us() < give_up)) {
      const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), kLookUpMs);
      for (int i = 0; i < count; ++i) {
        Member& member = members_[ready[static_cast<std::size_t>(i)].data.u64];
        const bool before = member.counter.events() < events;
        read(member);
        waiting -= before && member.counter.events() >= events ? 1U : 0U;
      }
    }
    return members_.size() - waiting;
  }
  /// Whatever comes, for so long.
  void read_for(double us) { (void)read_until(std::numeric_limits<std::uint64_t>::max(), us); }

 private:
  struct Member {
    UniqueFd fd;
    Counter counter;
  };
  static constexpr double kForeverUs = std::numeric_limits<double>::max();
  static constexpr int kLookUpMs = 100;  // how often the time is looked at while nothing comes
  static constexpr std::size_t kPieceBytes = 256U << 10U;

  void read(Member& member) {
    const ssize_t got = ::recv(member.fd.get(), piece_.data(), piece_.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      die("a subscriber was disconnected");
    }
    if (got > 0) {
      member.counter.take({piece_.data(), static_cast<std::size_t>(got)});
    }
  }

  UniqueFd epoll_;
  std::vector<char> piece_;
  std::vector<Member> members_;
};

}  // namespace vibes::bench
