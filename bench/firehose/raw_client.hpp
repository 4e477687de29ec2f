// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// Where to reach a server: on the loopback interface, or at its unix socket where that is set.
struct Address {
  int port = 0;
  std::string unix_path;
};

/// A WebSocket client at the least cost: no parsing beyond frame headers, so that what is measured
/// is the server.
class RawClient {
 public:
  /// Connects and does the handshake. `path` with its query: "/ws/firehose?from=end".
  RawClient(const Address& server, const std::string& path);

  [[nodiscard]] int fd() const { return fd_.get(); }
  void set_nonblocking();

  /// Reads what is there; `on_text` gets each message's text. False: the connection has ended.
  /// Blocking sockets wait for at least one byte.
  bool receive(const std::function<void(std::string_view)>& on_text);
  /// The same for who only counts: messages whose text starts with `prefix`.
  bool count(std::string_view prefix, std::uint64_t& messages);
  /// Sends bytes, waiting as long as it takes.
  void send(std::string_view bytes) const;

 private:
  bool fill();

  vibes::UniqueFd fd_;
  std::string buffer_;  // what has been received and not yet been taken apart
};

/// A masked text frame (with the mask 0, which changes nothing).
std::string client_frame(std::string_view text);

}  // namespace vibes::bench
