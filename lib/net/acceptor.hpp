// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "net/host_origin.hpp"
#include "net/loop.hpp"

namespace vibes::net {

/// Accepts connections on its own thread and hands them to the net threads. Limits are back
/// pressure: while there are too many connections, or descriptors have run out, who comes waits in
/// the kernel's queue and is not turned away. A unix socket's client must run as us; it needs no
/// token and is not held up by strangers on the TCP port.
class Acceptor {
 public:
  struct Listener {
    UniqueFd socket;
    Transport transport = Transport::tcp;
  };
  using Adopt = std::function<void(UniqueFd socket, Transport transport)>;

  /// `evict` is asked for room while unauthenticated connections are in the way.
  Acceptor(std::vector<Listener> listeners, ConnectionCounts& counts, std::size_t connections_max,
           Adopt adopt, std::function<void()> evict);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() { stop(); }

  Result<void> start();
  /// Closes the listeners.
  void stop();

 private:
  void run();
  void accept_all(const Listener& listener);
  [[nodiscard]] bool may_accept(Transport transport) const;

  std::vector<Listener> listeners_;
  ConnectionCounts& counts_;
  const std::size_t connections_max_;
  Adopt adopt_;
  std::function<void()> evict_;
  UniqueFd stop_event_;
  bool out_of_descriptors_ = false;
  std::jthread thread_;
};

}  // namespace vibes::net
