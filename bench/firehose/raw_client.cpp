// SPDX-License-Identifier: MIT
#include "firehose/raw_client.hpp"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

struct Header {
  std::size_t header_bytes = 0;
  std::size_t payload_bytes = 0;
};

/// Of the frame that `bytes` starts with; header_bytes 0: not all of it is there.
Header frame_header(std::string_view bytes) {
  const auto at = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) {
    return {};
  }
  Header header{2, at(1)};
  const std::size_t extended = header.payload_bytes == 126   ? 2
                               : header.payload_bytes == 127 ? 8
                                                             : 0;
  if (bytes.size() < 2 + extended) {
    return {};
  }
  if (extended > 0) {
    header.payload_bytes = 0;
    for (std::size_t i = 0; i < extended; ++i) {
      header.payload_bytes = header.payload_bytes << 8U | at(2 + i);
    }
  }
  header.header_bytes += extended;
  return header;
}

UniqueFd connect_tcp(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("connect");
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

UniqueFd connect_unix(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("connect to " + path);
  }
  return fd;
}

}  // namespace

RawClient::RawClient(const Address& server, const std::string& path)
    : fd_(server.unix_path.empty() ? connect_tcp(server.port) : connect_unix(server.unix_path)) {
  send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port) +
       "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  while (buffer_.find("\r\n\r\n") == std::string::npos) {
    if (!fill()) {
      die("handshake: " + buffer_);
    }
  }
  if (!buffer_.starts_with("HTTP/1.1 101")) {
    die("handshake: " + buffer_);
  }
  buffer_.erase(0, buffer_.find("\r\n\r\n") + 4);
}

void RawClient::set_nonblocking() { ::fcntl(fd(), F_SETFL, O_NONBLOCK); }

bool RawClient::fill() {
  static thread_local std::array<char, 256 * 1024> piece;
  const ssize_t got = ::recv(fd(), piece.data(), piece.size(), 0);
  if (got <= 0) {
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
  buffer_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

bool RawClient::receive(const std::function<void(std::string_view)>& on_text) {
  const bool open = fill();
  std::string_view rest = buffer_;
  for (Header header = frame_header(rest);
       header.header_bytes > 0 && rest.size() >= header.header_bytes + header.payload_bytes;
       header = frame_header(rest)) {
    const bool text = (static_cast<unsigned char>(rest[0]) & 0x0FU) == 1;
    const std::string_view payload = rest.substr(header.header_bytes, header.payload_bytes);
    if (text) {
      on_text(payload);
    }
    rest.remove_prefix(header.header_bytes + header.payload_bytes);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return open;
}

bool RawClient::count(std::string_view prefix, std::uint64_t& messages) {
  return receive([&](std::string_view text) { messages += text.starts_with(prefix) ? 1U : 0U; });
}

void RawClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      pollfd writable{fd(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
      continue;
    }
    if (sent < 0) {
      die("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string client_frame(std::string_view text) {
  std::string frame = "\x81";
  if (text.size() < 126) {
    frame += static_cast<char>(0x80U | text.size());
  } else if (text.size() <= 0xFFFF) {
    frame += static_cast<char>(0x80U | 126U);
    frame += static_cast<char>(text.size() >> 8U);
    frame += static_cast<char>(text.size() & 0xFFU);
  } else {
    frame += static_cast<char>(0x80U | 127U);
    for (int shift = 56; shift >= 0; shift -= 8) {
      frame += static_cast<char>((text.size() >> static_cast<unsigned>(shift)) & 0xFFU);
    }
  }
  frame.append(4, '\0');
  frame += text;
  return frame;
}

}  // namespace vibes::bench
