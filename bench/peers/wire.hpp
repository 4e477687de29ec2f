// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// Sockets of the loopback interface and what is counted in their bytes, at the least cost, the
/// same for us and for peers.

/// A listening socket on a port that nobody else has.
class Listener {
 public:
  Listener();
  [[nodiscard]] int port() const { return port_; }
  /// Waits for the next connection.
  [[nodiscard]] UniqueFd accept() const;

 private:
  UniqueFd fd_;
  int port_ = 0;
};

/// Connected, TCP_NODELAY; an empty one where nobody listens.
UniqueFd try_connect(int port);
/// Ends the program where nobody listens.
UniqueFd connect_to(int port);
/// Sends all of it over a blocking socket.
void send_all(int fd, std::string_view bytes);
/// Reads up to and with `ending`, and not a byte more.
std::string read_through(int fd, std::string_view ending);

/// A WebSocket to vibes-server: `path` with its query. Of what follows the handshake nothing is
/// read.
UniqueFd open_websocket(int port, const std::string& path);

/// Counts the events in a stream of a server's WebSocket frames, wherever the pieces begin and end.
/// An event is a text of more than kEventBytes: other messages are shorter.
class FrameCounter {
 public:
  void take(std::string_view bytes);
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// The close frame has come.
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  std::string_view header_from(std::string_view bytes);

  std::uint64_t events_ = 0;
  std::size_t rest_ = 0;  // of the payload that is being passed over
  std::array<unsigned char, 10> header_{};
  std::size_t have_ = 0;  // of a header that came in two pieces
  bool closed_ = false;
};

/// The same for a stream in which every event is as long as any other and nothing else comes.
class ByteCounter {
 public:
  explicit ByteCounter(std::size_t event_bytes) : event_bytes_(event_bytes) {}
  void take(std::string_view bytes) { bytes_ += bytes.size(); }
  [[nodiscard]] std::uint64_t events() const { return bytes_ / event_bytes_; }

 private:
  std::size_t event_bytes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vibes::bench
