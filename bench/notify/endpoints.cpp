// SPDX-License-Identifier: MIT
#include "notify/endpoints.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

/// The bytes of the first request in `bytes`; 0 if it is not whole yet.
std::size_t request_bytes(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t end = bytes.find(kEnd);
  if (end == std::string_view::npos) {
    return 0;
  }
  const std::size_t length = bytes.substr(0, end).find(kLength);
  const std::size_t body = length == std::string_view::npos
                               ? 0
                               : std::strtoul(bytes.data() + length + kLength.size(), nullptr, 10);
  const std::size_t whole = end + kEnd.size() + body;
  return bytes.size() >= whole ? whole : 0;
}

}  // namespace

Endpoints::Endpoints(std::size_t answering, std::size_t silent)
    : answering_(answering),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      over_(::eventfd(0, EFD_CLOEXEC)),
      arrivals_(answering) {
  watch(over_.get());
  for (std::size_t i = 0; i < answering + silent; ++i) {
    listen();
  }
  thread_ = std::thread([this] { run(); });
}

Endpoints::~Endpoints() {
  const std::uint64_t one = 1;
  (void)!::write(over_.get(), &one, sizeof one);
  thread_.join();
}

void Endpoints::listen() {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);  // as the socket calls want it
  if (::bind(listener.get(), name, size) != 0 || ::listen(listener.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener.get(), name, &size) != 0) {
    die("listen");
  }
  watch(listener.get());
  endpoint_of_[listener.get()] = listeners_.size();
  ports_.push_back(ntohs(address.sin_port));
  listeners_.push_back(std::move(listener));
}

void Endpoints::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    die("epoll_ctl");
  }
}

std::string Endpoints::url(std::size_t index) const {
  return "http://127.0.0.1:" + std::to_string(ports_.at(index)) + "/push";
}

std::vector<std::vector<double>> Endpoints::arrivals() const {
  const MutexLock lock(mutex_);
  return arrivals_;
}

std::size_t Endpoints::arrived() const {
  const MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& one : arrivals_) {
    count += one.size();
  }
  return count;
}

void Endpoints::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
      if (fd == over_.get()) {
        return;
      }
      if (const auto endpoint = endpoint_of_.find(fd); endpoint != endpoint_of_.end()) {
        accept(endpoint->second);
      } else if (const auto found = connections_.find(fd); !serve(found->second)) {
        connections_.erase(found);
      }
    }
  }
}

void Endpoints::accept(std::size_t endpoint) {
  UniqueFd fd(
      ::accept4(listeners_[endpoint].get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd) {
    watch(fd.get());
    const int number = fd.get();
    connections_[number] = {std::move(fd), endpoint, {}};
  }
}

bool Endpoints::serve(Connection& connection) {
  std::array<char, 8'192> bytes{};
  const ssize_t got = ::read(connection.fd.get(), bytes.data(), bytes.size());
  if (got <= 0) {
    return got < 0 && errno == EAGAIN;
  }
  if (connection.endpoint < answering_) {
    connection.unread.append(bytes.data(), static_cast<std::size_t>(got));
    take_request(connection);
  }
  return true;
}

void Endpoints::take_request(Connection& connection) {
  const std::size_t bytes = request_bytes(connection.unread);
  if (bytes == 0) {
    return;
  }
  connection.unread.erase(0, bytes);
  {
    const MutexLock lock(mutex_);
    arrivals_[connection.endpoint].push_back(now_us());
  }
  (void)!::write(connection.fd.get(), kAnswer.data(), kAnswer.size());
}

}  // namespace vibes::bench
