// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "peers/daemon.hpp"

namespace vibes::bench {

/// A server, ours or another's, that serves on a port of 127.0.0.1. It keeps everything in a
/// directory of its own, which is its working directory too, and writes its output there. Killed
/// when destroyed, for nothing that it holds is needed afterwards; dies with us. Made by the main
/// thread only.
class PeerProcess {
 public:
  /// Makes `directory` and waits until somebody listens on `port`. Ends the program with a message
  /// where that does not come to pass.
  PeerProcess(const std::filesystem::path& directory, const std::vector<std::string>& words,
              int port);
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;
  ~PeerProcess();

  [[nodiscard]] int port() const { return port_; }
  /// Waits until it has next to nothing to do, half a minute at most: what it makes of an earlier
  /// load beside the others is no part of the next measurement, neither of it nor of another.
  void await_idle() const;

 private:
  std::filesystem::path directory_;
  int port_;
  Daemon daemon_;
};

}  // namespace vibes::bench
