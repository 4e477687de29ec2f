// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "firehose/raw_client.hpp"
#include "peers/daemon.hpp"

namespace vibes::bench {

/// Where a server of ours lives: what it leaves there, and its log, the next one finds.
struct VibesHome {
  std::filesystem::path directory;
  std::filesystem::path sockets;  // a short path
  std::string server;             // the program
  std::string log;                // a directory; empty: one in `directory`
};

/// A real vibes-server of a home.
class VibesHere {
 public:
  /// Ends the program with what the server said where it does not start.
  VibesHere(const VibesHome& home, const std::vector<std::string>& options);

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] Address tcp() const { return {.port = port_, .unix_path = {}}; }
  /// From the fork until it said that it serves.
  [[nodiscard]] double started_us() const { return started_us_; }
  [[nodiscard]] Daemon& process() const { return *process_; }
  /// Waits until the server's own consumers have read its whole log, which they do at the first
  /// start on one that was made without a server.
  void await_consumers() const;

 private:
  std::unique_ptr<Daemon> process_;
  double started_us_ = 0;
  int port_ = 0;
};

/// For the server and for vibesctl, which finds the server by it.
std::vector<std::string> environment_of(const VibesHome& home);

}  // namespace vibes::bench
