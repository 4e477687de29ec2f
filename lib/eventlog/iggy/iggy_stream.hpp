// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/iggy/client.hpp"
#include "eventlog/iggy/codec.hpp"
#include "eventlog/iggy/follower.hpp"
#include "eventlog/iggy/groups.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/iggy/publisher.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// A topic of Apache Iggy with one partition, over the server's HTTP interface, 0.8 and later: a
/// message's sequence is its offset + 1. docs/design/0007-engines.md says what is in a message.
///
/// The server compares nothing before it takes a message: several writers all get theirs in, and
/// those that came too late do not count.
class IggyStream final : public remote::RemoteStream {
 public:
  explicit IggyStream(IggyOptions options);
  ~IggyStream() override { shut_down(); }

  Result<void> open(std::chrono::milliseconds within) override;
  Result<remote::StreamFacts> facts() override;
  Result<void> publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                       Published done) override;
  void ask_for_turn() override { publisher_.send_note(encode_turn(to_string(writer_))); }
  /// Also Errc::other_settings: the server lost messages, or the topic was removed.
  Result<std::vector<remote::RemoteMessage>> follow(std::uint64_t sequence,
                                                    std::chrono::milliseconds wait,
                                                    std::stop_token stop) override;
  [[nodiscard]] bool is_connected() const override { return session_.is_connected(); }
  void on_connection_changed(std::function<void()> listener) override;
  [[nodiscard]] remote::RemoteGroups& groups() override { return groups_; }
  [[nodiscard]] std::string url() const override { return options_.url(); }
  void close() override { shut_down(); }

 private:
  void shut_down();
  Result<void> try_open();
  [[nodiscard]] Durability durability(const Topic& topic) const;

  const IggyOptions options_;
  const Uuid writer_ = random_uuid();  // among those who ask for their turn
  Session session_;
  std::stop_source stop_;
  Follower follower_;
  Publisher publisher_;
  Groups groups_;
  Mutex mutex_;
  CondVar changed_;
  Client client_ VIBES_GUARDED_BY(mutex_);
  Uuid log_id_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::iggy
