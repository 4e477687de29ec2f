// SPDX-License-Identifier: MIT
#include "peers/wire.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <unistd.h>

#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "loopback.hpp"
#include "peers/endpoint.hpp"

namespace vibes::bench {
namespace {

/// How long the header is that begins so; 2 while only its first byte is known.
std::size_t header_bytes(const std::array<unsigned char, 10>& header, std::size_t have) {
  const unsigned length = have < 2 ? 0U : header[1];
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

std::size_t payload_bytes(const std::array<unsigned char, 10>& header, std::size_t size) {
  if (size == 2) {
    return header[1];
  }
  std::size_t length = 0;
  for (std::size_t i = 2; i < size; ++i) {
    length = length << 8U | header.at(i);
  }
  return length;
}

}  // namespace

Listener::Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  constexpr int kBacklog = 4'096;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd_.get(), generic, size) != 0 || ::listen(fd_.get(), kBacklog) != 0 ||
      ::getsockname(fd_.get(), generic, &size) != 0) {
    die("listen");
  }
  port_ = ntohs(address.sin_port);
}

UniqueFd Listener::accept() const {
  UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) {
    die("accept");
  }
  return fd;
}

UniqueFd try_connect(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return UniqueFd();
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

UniqueFd connect_to(int port) {
  UniqueFd fd = try_connect(port);
  if (!fd) {
    die("connect to port " + std::to_string(port));
  }
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      die("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_through(int fd, std::string_view ending) {
  std::string text;
  std::array<char, 4'096> piece{};
  for (;;) {
    const ssize_t seen = ::recv(fd, piece.data(), piece.size(), MSG_PEEK);
    if (seen <= 0) {
      die("the server closed the connection after: " + text);
    }
    const std::size_t before = text.size();
    text.append(piece.data(), static_cast<std::size_t>(seen));
    const std::size_t at = text.find(ending, before - std::min(before, ending.size()));
    const bool whole = at != std::string::npos;
    text.resize(whole ? at + ending.size() : text.size());
    if (::recv(fd, piece.data(), text.size() - before, 0) < 0) {
      die("recv");
    }
    if (whole) {
      return text;
    }
  }
}

UniqueFd open_websocket(int port, const std::string& path) {
  UniqueFd fd = connect_to(port);
  send_all(fd.get(), websocket_hello(port, path));
  const std::string answer = read_through(fd.get(), "\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 101")) {
    die("handshake: " + answer);
  }
  return fd;
}

// What is left of `bytes` after as much of the header as they have.
std::string_view FrameCounter::header_from(std::string_view bytes) {
  while (!bytes.empty() && have_ < header_bytes(header_, have_)) {
    header_.at(have_++) = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
  }
  return bytes;
}

void FrameCounter::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t passed = std::min(rest_, bytes.size());
    rest_ -= passed;
    bytes.remove_prefix(passed);
    bytes = header_from(bytes);
    const std::size_t size = header_bytes(header_, have_);
    if (have_ < size || have_ < 2) {
      return;
    }
    rest_ = payload_bytes(header_, size);
    const unsigned opcode = header_[0] & 0x0FU;
    events_ += opcode == 1 && rest_ > kEventBytes ? 1U : 0U;
    closed_ = closed_ || opcode == 8;
    have_ = 0;
  }
}

}  // namespace vibes::bench
