// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "client/deadline.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "verify/server_process.hpp"

namespace vibes::test {

/// Long enough for a machine ten times slower; only tests that fail use it up.
inline client::Deadline soon() { return client::within(std::chrono::seconds(30)); }

/// A real vibes-server with a world of its own, for one test.
class LiveServer {
 public:
  /// `log`: an engine's URL; empty: a file log of its own.
  explicit LiveServer(std::vector<std::string> arguments = {}, std::string log = {})
      : server_(start(dir_, std::move(arguments), std::move(log))) {}

  [[nodiscard]] const client::Target& target() const { return server_.target(); }
  [[nodiscard]] verify::ServerProcess& process() { return server_; }
  void kill() { REQUIRE(server_.kill()); }
  void start_again() { REQUIRE(server_.start_again(soon())); }

 private:
  static verify::ServerProcess start(const TempDir& dir, std::vector<std::string> arguments,
                                     std::string log) {
    auto program = verify::find_server_program();
    REQUIRE(program);
    auto server = verify::ServerProcess::start(
        {*program, dir.path(), std::move(log), std::move(arguments)}, soon());
    if (!server) {
      FAIL(server.error().message());
    }
    return *std::move(server);
  }

  TempDir dir_;
  verify::ServerProcess server_;
};

}  // namespace vibes::test
