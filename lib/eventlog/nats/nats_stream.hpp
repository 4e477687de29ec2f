// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "eventlog/nats/connection.hpp"
#include "eventlog/nats/follower.hpp"
#include "eventlog/nats/groups.hpp"
#include "eventlog/nats/options.hpp"
#include "eventlog/nats/publisher.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::nats {

/// A stream of NATS JetStream. docs/design/0007-engines.md says what is in it. libnats ignores
/// SIGPIPE from its first use on.
class NatsStream final : public remote::RemoteStream {
 public:
  explicit NatsStream(NatsOptions options);
  ~NatsStream() override { stop(); }

  Result<void> open(std::chrono::milliseconds within) override;
  Result<remote::StreamFacts> facts() override;
  Result<void> publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                       Published done) override;
  /// Also Errc::corrupt: the stream ends before `sequence` or is another one of the same name.
  Result<std::vector<remote::RemoteMessage>> follow(std::uint64_t sequence,
                                                    std::chrono::milliseconds wait,
                                                    std::stop_token stop) override;
  void ask_for_turn() override;
  [[nodiscard]] bool is_connected() const override { return connection_.is_connected(); }
  void on_connection_changed(std::function<void()> listener) override;
  [[nodiscard]] remote::RemoteGroups& groups() override { return groups_; }
  [[nodiscard]] std::string url() const override { return options_.url(); }
  /// Not from within a callback.
  void close() override { stop(); }

 private:
  void stop();

  const NatsOptions options_;
  const std::string writer_ = to_string(random_uuid());
  Connection connection_;
  Publisher publisher_;
  Follower follower_;
  Groups groups_;
};

/// Ends the threads of libnats and frees what it holds. Once, before main() returns, when all
/// streams are closed (else it does nothing); none can be opened any more. Without it they end with
/// the process.
void close_library();

}  // namespace vibes::eventlog::nats
