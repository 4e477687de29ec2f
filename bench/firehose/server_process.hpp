// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <sys/types.h>
#include <vector>

#include "firehose/raw_client.hpp"
#include "scratch.hpp"

namespace vibes::bench {

/// A real vibes-server: own directories, free port, no token. Stopped by its pid when destroyed.
class ServerProcess {
 public:
  /// Ends the program with a message where the server does not start.
  ServerProcess(const std::string& program, const std::vector<std::string>& options);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  [[nodiscard]] Address tcp() const { return {.port = port_, .unix_path = {}}; }
  [[nodiscard]] Address unix_socket() const {
    return {.port = port_, .unix_path = scratch_.path(1) / "sock"};
  }
  [[nodiscard]] std::size_t rss_bytes() const;

 private:
  std::atomic<pid_t> pid_ = -1;
  Scratch scratch_;
  int port_ = 0;
};

[[noreturn]] void die(const std::string& what);
double now_us();

}  // namespace vibes::bench
