// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vibes::bench {

/// A port of 127.0.0.1 that nobody listens on at the moment.
int free_port();

/// Whether a program of this name is on $PATH.
bool installed(const std::string& name);

/// Another program that serves on a port of 127.0.0.1. It keeps everything in a directory of its
/// own, which is its working directory too, and writes its output there. Killed by its pid when
/// destroyed, for nothing that it holds is needed afterwards; dies with us. Made by the main thread
/// only.
class PeerProcess {
 public:
  /// Makes `directory` and waits until somebody listens on `port`. Ends the program with a message
  /// where that does not come to pass.
  PeerProcess(std::filesystem::path directory, std::vector<std::string> argv, int port);
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;
  ~PeerProcess();

  [[nodiscard]] int port() const { return port_; }

 private:
  void wait_until_it_listens();
  [[noreturn]] void give_up() const;

  std::filesystem::path directory_;
  std::string name_;
  int port_;
  pid_t pid_ = -1;
};

}  // namespace vibes::bench
