// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// A real nats-server with JetStream ($VIBES_NATS_SERVER, else the one on $PATH) on a port of
/// 127.0.0.1 that nobody else has. Stopped when destroyed; dies with us.
class NatsProcess {
 public:
  /// Keeps everything in `directory`, which is made, and removed at the end. Ends the program with
  /// a message where the server does not start.
  explicit NatsProcess(std::filesystem::path directory);
  NatsProcess(const NatsProcess&) = delete;
  NatsProcess& operator=(const NatsProcess&) = delete;
  ~NatsProcess();

  /// A log in a stream of this name.
  [[nodiscard]] std::string url(const std::string& stream) const;

 private:
  std::filesystem::path directory_;
  UniqueFd output_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace vibes::bench
