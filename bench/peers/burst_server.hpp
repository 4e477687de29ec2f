// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "peers/wire.hpp"

namespace vibes::bench {

/// The ceiling of a fan-out: one thread that does nothing but give every client the same bytes, in
/// one write per client and wake-up.
class BurstServer {
 public:
  explicit BurstServer(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] int port() const { return listener_.port(); }
  /// Takes in so many clients that have connected.
  void accept(std::size_t clients);
  /// Begins to send, in a thread of its own that ends when all have everything.
  void start();

 private:
  struct Client {
    UniqueFd fd;
    std::size_t sent = 0;
  };
  void send_everything();

  std::string bytes_;
  Listener listener_;
  std::vector<Client> clients_;
  std::jthread thread_;
};

}  // namespace vibes::bench
