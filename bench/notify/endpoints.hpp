// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/unique_fd.hpp"

namespace vibes::bench {

/// Push services on the loopback interface, each at a port of its own, in one thread of this
/// process. Those that answer say 201 to every request and note when its last byte came; the others
/// take connections, read and never say a word.
class Endpoints {
 public:
  Endpoints(std::size_t answering, std::size_t silent);
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;
  ~Endpoints();

  /// The URL of the index-th; those that answer come first.
  [[nodiscard]] std::string url(std::size_t index) const;
  [[nodiscard]] std::size_t count() const { return listeners_.size(); }
  [[nodiscard]] std::size_t answering() const { return answering_; }

  /// When each request came to each endpoint that answers, in now_us(), in their order.
  [[nodiscard]] std::vector<std::vector<double>> arrivals() const;
  /// How many came to all of them.
  [[nodiscard]] std::size_t arrived() const;

 private:
  struct Connection {
    UniqueFd fd;
    std::size_t endpoint = 0;
    std::string unread;
  };

  void run();
  void listen();
  void accept(std::size_t endpoint);
  void watch(int fd);
  /// False: the connection has ended.
  bool serve(Connection& connection);
  void take_request(Connection& connection);

  const std::size_t answering_;
  std::vector<UniqueFd> listeners_;
  std::vector<int> ports_;
  UniqueFd epoll_;
  UniqueFd over_;
  std::map<int, std::size_t> endpoint_of_;  // by a listener's descriptor
  std::map<int, Connection> connections_;   // by descriptor
  mutable Mutex mutex_;
  std::vector<std::vector<double>> arrivals_ VIBES_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace vibes::bench
