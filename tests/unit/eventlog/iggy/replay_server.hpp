// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/unique_fd.hpp"

namespace vibes::test {

/// A small HTTP server on the loopback interface that says what a test tells it to: recorded
/// answers of real servers, mostly.
class ReplayServer {
 public:
  struct Request {
    std::string method;
    std::string path;  // with its query
    std::string token;
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::string body;
    std::string headers = {};  // with line ends
  };
  /// Nothing: the connection is closed without an answer. Called by one thread at a time.
  using Handler = std::function<std::optional<Answer>(const Request&)>;

  explicit ReplayServer(Handler handler);
  ~ReplayServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void accept_all();
  void serve(int fd);

  const Handler handler_;
  Mutex handling_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  Mutex mutex_;
  std::vector<int> connections_ VIBES_GUARDED_BY(mutex_);
  bool closing_ VIBES_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace vibes::test
