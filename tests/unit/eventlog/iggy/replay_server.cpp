// SPDX-License-Identifier: MIT
#include "unit/eventlog/iggy/replay_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include "base/assert.hpp"

namespace vibes::test {
namespace {

/// The value of a header in a head, whose names the client writes as we do.
std::string header(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) {
    return {};
  }
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

bool receive(int fd, std::string& text) {
  std::array<char, 16'384> buffer{};
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return got > 0;
}

/// False: the client is gone.
bool read_request(int fd, std::string& buffer, ReplayServer::Request& request) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(fd, buffer)) {
      return false;
    }
  }
  const std::string head = buffer.substr(0, end + 2);
  const auto blank = head.find(' ');
  request.method = head.substr(0, blank);
  request.path = head.substr(blank + 1, head.find(' ', blank + 1) - blank - 1);
  const std::string bearer = header(head, "Authorization");
  request.token = bearer.empty() ? "" : bearer.substr(std::string_view("Bearer ").size());
  const std::size_t size = std::strtoul(header(head, "Content-Length").c_str(), nullptr, 10);
  while (buffer.size() < end + 4 + size) {
    if (!receive(fd, buffer)) {
      return false;
    }
  }
  request.body = buffer.substr(end + 4, size);
  buffer.erase(0, end + 4 + size);
  return true;
}

}  // namespace

ReplayServer::ReplayServer(Handler handler)
    : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  VIBES_ASSERT(::bind(listener_.get(), generic, size) == 0);
  VIBES_ASSERT(::listen(listener_.get(), 64) == 0);
  VIBES_ASSERT(::getsockname(listener_.get(), generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

ReplayServer::~ReplayServer() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    for (const int fd : connections_) {
      (void)::shutdown(fd, SHUT_RDWR);
    }
  }
  (void)::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  for (const int fd : connections_) {
    (void)::close(fd);
  }
}

void ReplayServer::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    const MutexLock lock(mutex_);
    connections_.push_back(fd);
    if (closing_) {
      return;
    }
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void ReplayServer::serve(int fd) {
  std::string buffer;
  Request request;
  while (read_request(fd, buffer, request)) {
    std::optional<Answer> answer;
    {
      const MutexLock lock(handling_);
      answer = handler_(request);
    }
    if (!answer) {
      break;
    }
    const std::string text =
        "HTTP/1.1 " + std::to_string(answer->status) + " X\r\n" + answer->headers +
        "content-length: " + std::to_string(answer->body.size()) + "\r\n\r\n" + answer->body;
    // As the recorded ones do after a body they did not want, one of them without a word.
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 || answer->status == 413) {
      break;
    }
  }
  (void)::shutdown(fd, SHUT_RDWR);
}

}  // namespace vibes::test
