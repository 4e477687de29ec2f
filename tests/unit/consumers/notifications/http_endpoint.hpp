// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdlib>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <unistd.h>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

namespace vibes::test {

/// A socket that takes connections and says nothing: an endpoint that hangs.
class SilentEndpoint {
 public:
  SilentEndpoint() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd_.get(), plain, size) == 0);
    REQUIRE(::listen(fd_.get(), 64) == 0);
    REQUIRE(::getsockname(fd_.get(), plain, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 protected:
  UniqueFd fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  unsigned port_ = 0;
};

/// Answers each request with the next of its answers, the last one again and again.
class HttpEndpoint : public SilentEndpoint {
 public:
  explicit HttpEndpoint(std::vector<std::string> answers)
      : answers_(std::move(answers)), thread_([this] { run(); }) {}
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;
  ~HttpEndpoint() { (void)::shutdown(fd_.get(), SHUT_RDWR); }

  static std::string status(const std::string& line, const std::string& headers = "") {
    return "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\nConnection: close\r\n" + headers + "\r\n";
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    for (std::size_t n = 0;; ++n) {
      const UniqueFd peer(::accept(fd_.get(), nullptr, nullptr));
      if (!peer) {
        return;
      }
      std::string request = read_request(peer.get());
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
      }
      const std::string& answer = answers_[std::min(n, answers_.size() - 1)];
      (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  static std::string read_request(int fd) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      std::array<char, 4096> piece{};
      const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
      if (got <= 0) {
        break;
      }
      text.append(piece.data(), static_cast<std::size_t>(got));
      const std::size_t head = text.find("\r\n\r\n");
      const std::size_t length = text.find("Content-Length: ");
      if (head != std::string::npos && length < head) {
        wanted = head + 4 + std::strtoul(text.c_str() + length + 16, nullptr, 10);
      }
    }
    return text;
  }

  std::mutex mutex_;
  std::vector<std::string> requests_;
  const std::vector<std::string> answers_;
  std::jthread thread_;
};

}  // namespace vibes::test
