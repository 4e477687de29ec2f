// SPDX-License-Identifier: MIT
#include "peers/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

#include "firehose/server_process.hpp"
#include "report.hpp"

namespace vibes::bench {
namespace {

constexpr int kPatienceMs = 10'000;

/// All messages are alike, so that what is sent is one endless repetition of them: a place in it
/// and how much is owed are all there is to remember.
class Connection {
 public:
  Connection(const Endpoint& endpoint, std::size_t window, std::string_view messages)
      : fd_(connect_to(endpoint)),
        take_acks_(endpoint.take_acks),
        window_(window),
        message_bytes_(endpoint.message.size()),
        messages_(messages) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] bool owes() const { return owed_bytes_ > 0; }
  [[nodiscard]] double sent_us() const { return sent_us_; }

  void fill_window() {
    const std::size_t room = window_ - in_flight_;
    if (room >= std::max<std::size_t>(1, window_ / 4)) {
      owed_bytes_ += room * message_bytes_;
      in_flight_ += room;
      sent_us_ = now_us();
    }
    send_what_is_owed();
  }

  void send_what_is_owed() {
    while (owed_bytes_ > 0) {
      const std::size_t bytes = std::min(owed_bytes_, messages_.size() - place_);
      const ssize_t sent = ::send(fd(), messages_.data() + place_, bytes, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        return;
      }
      if (sent < 0) {
        die("send");
      }
      owed_bytes_ -= static_cast<std::size_t>(sent);
      place_ = (place_ + static_cast<std::size_t>(sent)) % message_bytes_;
    }
  }

  /// Returns how many events were acknowledged by what has come.
  std::uint64_t take_acks() {
    static std::array<char, 256 * 1024> piece;
    const ssize_t got = ::recv(fd(), piece.data(), piece.size(), 0);
    if (got <= 0) {
      if (got < 0 && errno == EAGAIN) {
        return 0;
      }
      die("the server hung up");
    }
    std::uint64_t acked = 0;
    const std::string_view fresh(piece.data(), static_cast<std::size_t>(got));
    if (rest_.empty()) {
      rest_ = fresh.substr(take_acks_(fresh, acked));
    } else {
      rest_ += fresh;
      rest_.erase(0, take_acks_(rest_, acked));
    }
    in_flight_ -= acked;
    return acked;
  }

 private:
  UniqueFd fd_;
  Endpoint::TakeAcks take_acks_;
  std::size_t window_;
  std::size_t message_bytes_;
  std::string_view messages_;  // `window` of them
  std::size_t place_ = 0;      // in the first of them
  std::size_t owed_bytes_ = 0;
  std::size_t in_flight_ = 0;
  double sent_us_ = 0;
  std::string rest_;  // the start of an answer
};

class LoadRun {
 public:
  LoadRun(const Endpoint& endpoint, const Load& load) : load_(load) {
    for (std::size_t i = 0; i < load.window; ++i) {
      messages_ += endpoint.message;
    }
    // One more, for a repetition may start within a message.
    messages_ += endpoint.message;
    for (std::size_t i = 0; i < load.connections; ++i) {
      all_.push_back(std::make_unique<Connection>(endpoint, load.window, messages_));
      watch(*all_.back(), EPOLL_CTL_ADD);
    }
  }

  LoadResult run() {
    const double start = now_us();
    stop_us_ = start + load_.seconds * 1e6;
    for (const auto& connection : all_) {
      fill(*connection);
    }
    std::array<epoll_event, 128> ready{};
    while (in_flight_ > 0) {
      const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), kPatienceMs);
      if (count <= 0) {
        die("no ack in time");
      }
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = ready[static_cast<std::size_t>(i)];
        serve(*static_cast<Connection*>(event.data.ptr));
      }
    }
    LoadResult result;
    result.events_per_second = static_cast<double>(acked_) / ((now_us() - start) / 1e6);
    result.ack_p50_us = ack_us_.empty() ? 0 : percentile(ack_us_, 50);
    return result;
  }

 private:
  void watch(Connection& connection, int operation) {
    const std::uint32_t wanted = EPOLLIN | (connection.owes() ? EPOLLOUT : 0U);
    epoll_event event{wanted, {.ptr = &connection}};
    ::epoll_ctl(epoll_.get(), operation, connection.fd(), &event);
  }

  void fill(Connection& connection) {
    const bool owed = connection.owes();
    if (now_us() < stop_us_) {
      in_flight_ -= connection.in_flight();
      connection.fill_window();
      in_flight_ += connection.in_flight();
    } else {
      connection.send_what_is_owed();
    }
    if (owed != connection.owes()) {
      watch(connection, EPOLL_CTL_MOD);
    }
  }

  void serve(Connection& connection) {
    const std::uint64_t acked = connection.take_acks();
    if (acked > 0 && load_.window == 1) {
      ack_us_.push_back(now_us() - connection.sent_us());
    }
    acked_ += acked;
    in_flight_ -= acked;
    fill(connection);
  }

  Load load_;
  std::string messages_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<std::unique_ptr<Connection>> all_;
  double stop_us_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t in_flight_ = 0;
  std::vector<double> ack_us_;
};

}  // namespace

LoadResult run_load(const Endpoint& endpoint, const Load& load) {
  return LoadRun(endpoint, load).run();
}

}  // namespace vibes::bench
