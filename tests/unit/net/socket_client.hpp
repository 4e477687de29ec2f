// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <utility>

#include <poll.h>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

namespace vibes::net {

/// A blocking client whose reads give up after 20 s.
class SocketClient {
 public:
  explicit SocketClient(std::string authority) : authority_(std::move(authority)) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{20, 0};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(authority_.substr(authority_.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void upgrade(const std::string& path = "/ws") {
    send("GET " + path + " HTTP/1.1\r\nHost: " + authority_ +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    REQUIRE(read_until("\r\n\r\n").find(" 101 ") != std::string::npos);
  }
  /// A POST that announces `length` bytes of body and sends these.
  void post(const std::string& body, std::size_t length) {
    send("POST /post HTTP/1.1\r\nHost: " + authority_ +
         "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body);
  }
  bool has_answer_within(std::chrono::milliseconds time) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(time.count())) == 1;
  }
  /// A text frame, masked with zeros; of up to 125 bytes.
  static std::string frame(std::string_view text, unsigned char first = 0x81) {
    const std::string header{
        static_cast<char>(first), static_cast<char>(0x80U | text.size()), 0, 0, 0, 0};
    return header + std::string(text);
  }
  void send_text(std::string_view text, unsigned char first = 0x81) { send(frame(text, first)); }
  std::string read_until(std::string_view mark) {
    std::string got;
    char byte = 0;
    while (got.find(mark) == std::string::npos && ::recv(fd_.get(), &byte, 1, 0) == 1) {
      got += byte;
    }
    return got;
  }
  std::string read(std::size_t count) {
    std::string got(count, '\0');
    const ssize_t n = ::recv(fd_.get(), got.data(), count, MSG_WAITALL);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }
  /// We say no more.
  void end_sending() { REQUIRE(::shutdown(fd_.get(), SHUT_WR) == 0); }
  /// Everything up to the end of the connection; false: the server still holds it after 20 s.
  bool ends(std::string& got) {
    std::string piece(65'536, '\0');
    while (true) {
      const ssize_t n = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        return true;
      }
      if (n < 0) {
        return false;
      }
      got.append(piece, 0, static_cast<std::size_t>(n));
    }
  }
  /// A frame of the server's.
  struct Frame {
    unsigned opcode = 8;  // also where the connection ended without one
    std::string payload = {};

    [[nodiscard]] unsigned close_code() const {
      return payload.size() < 2 ? 0
                                : static_cast<unsigned char>(payload[0]) * 256U +
                                      static_cast<unsigned char>(payload[1]);
    }
  };
  Frame read_frame() {
    const std::string header = read(2);
    if (header.size() < 2) {
      return {};
    }
    std::size_t length = static_cast<unsigned char>(header[1]);
    if (length >= 126) {
      const std::size_t bytes = length == 126 ? 2 : 8;
      length = 0;
      for (const char c : read(bytes)) {
        length = length << 8U | static_cast<unsigned char>(c);
      }
    }
    return {static_cast<unsigned char>(header[0]) & 0x0FU,
            length == 0 ? std::string() : read(length)};
  }
  /// The code of the close frame that comes next; 0: none came.
  unsigned read_close() {
    const Frame frame = read_frame();
    return frame.opcode == 8 ? frame.close_code() : 0;
  }
  bool ends() {
    std::string got;
    return ends(got);
  }
  [[nodiscard]] const std::string& authority() const { return authority_; }

 private:
  std::string authority_;
  UniqueFd fd_;
};

}  // namespace vibes::net
