// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "support/nats_server.hpp"

namespace vibes::test {

/// Three nats-servers that are one JetStream cluster, on ports of 127.0.0.1. As for NatsServer:
/// what fails ends the test program. One thread at a time.
class NatsCluster {
 public:
  static constexpr std::size_t kServers = 3;

  explicit NatsCluster(const NatsServerConfig& config = {});

  /// Waits until every node has all of the stream: only then may the next one die.
  void wait_until_whole(const std::string& stream) const;

  NatsServer& at(std::size_t index) { return *servers_.at(index); }
  /// All three, with what is given to follow.
  [[nodiscard]] std::string url(std::string_view rest = "/vibes?replicas=3") const;

 private:
  std::array<std::unique_ptr<NatsServer>, kServers> servers_;
};

}  // namespace vibes::test
