// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/nats/connection.hpp"
#include "eventlog/nats/handles.hpp"
#include "eventlog/nats/options.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::nats {

/// Reads the stream in order through a push consumer that lives as long as the reader goes on where
/// it stopped, and nothing is wrong with it. The server numbers what it delivers; by that number
/// nothing can be missing unnoticed. Then, and after every reconnect, another consumer is made.
class Follower {
 public:
  using Messages = std::vector<remote::RemoteMessage>;

  /// `writer` is what the stream's own messages that ask for a turn say.
  Follower(Connection& connection, const NatsOptions& options, std::string writer)
      : connection_(connection), options_(options), writer_(std::move(writer)) {}
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower() { close(); }

  /// As RemoteStream::follow(). One at a time.
  Result<Messages> follow(std::uint64_t sequence, std::chrono::milliseconds wait,
                          const std::stop_token& stop);
  /// After Connection::is_closing(), so that follow() ends. Before the connection's.
  void close();

 private:
  enum class Step : std::uint8_t { message, nothing, lost };

  Result<void> subscribe(std::uint64_t sequence) VIBES_REQUIRES(mutex_);
  void unsubscribe() VIBES_REQUIRES(mutex_);
  Result<void> check_end(std::uint64_t sequence) VIBES_REQUIRES(mutex_);
  [[nodiscard]] bool goes_on_at(std::uint64_t sequence) VIBES_REQUIRES(mutex_);
  Result<Messages> collect(std::chrono::milliseconds slice) VIBES_REQUIRES(mutex_);
  Result<Step> next(std::chrono::milliseconds slice, Messages& to) VIBES_REQUIRES(mutex_);
  Step take_control(natsMsg* message) VIBES_REQUIRES(mutex_);
  Result<Step> take(natsMsg* message, Messages& to) VIBES_REQUIRES(mutex_);
  Result<bool> are_gone(std::uint64_t from, std::uint64_t to) VIBES_REQUIRES(mutex_);

  Connection& connection_;
  const NatsOptions& options_;
  const std::string writer_;
  Mutex mutex_;
  NatsPtr<natsSubscription> subscription_ VIBES_GUARDED_BY(mutex_);
  std::int64_t created_ VIBES_GUARDED_BY(mutex_) = 0;             // of the stream, when first seen
  std::uint64_t epoch_ VIBES_GUARDED_BY(mutex_) = 0;              // of the connection
  std::uint64_t last_ VIBES_GUARDED_BY(mutex_) = 0;               // the sequence read last
  std::uint64_t delivered_ VIBES_GUARDED_BY(mutex_) = 0;          // by the consumer, that came here
  std::size_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;                // collected in this call
  std::optional<Deadline> short_since_ VIBES_GUARDED_BY(mutex_);  // of an end that went back
  std::chrono::milliseconds silence_ VIBES_GUARDED_BY(mutex_){0};
};

}  // namespace vibes::eventlog::nats
