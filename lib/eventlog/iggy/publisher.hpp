// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/iggy/client.hpp"
#include "eventlog/iggy/follower.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// Sends batches in order, on a thread of its own: one request at a time, which takes along
/// whatever waits and fits in. Thread-safe.
class Publisher {
 public:
  Publisher(const IggyOptions& options, Session& session, Follower& follower);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() { close(); }

  /// RemoteStream::publish(). Errors: closed, batch_too_large; then `done` is not called. The
  /// sequence is 0 where the server does not say it (0.8).
  Result<void> publish(const remote::RemoteBatch& batch, remote::RemoteStream::Published done);

  /// Sends the payload of a message that is no batch, behind what waits. Nobody hears what became
  /// of it.
  void send_note(std::string_view payload);

  /// What was not answered gets Errc::indeterminate. No callback runs after it returned.
  void close();

  /// What the payload of a message may take.
  static std::size_t message_bytes_max(const IggyOptions& options);

 private:
  struct Offer {
    std::string payload;  // in base64
    remote::RemoteStream::Published done;
  };
  using Offers = std::vector<Offer>;

  void run(const std::stop_token& stop);
  Offers next(const std::stop_token& stop);
  void send(Offers offers, const std::stop_token& stop);
  Result<HttpAnswer> post(const Offers& offers, const std::stop_token& stop);
  void answer(Offers& offers, const HttpAnswer& answer);
  void put_back(Offers offers);
  /// What is behind them goes with them, for it was offered as what comes behind.
  void fail_with_rest(Offers& offers, const Error& error);

  const IggyOptions& options_;
  Follower& follower_;
  Client client_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Offer> queue_ VIBES_GUARDED_BY(mutex_);
  bool closed_ VIBES_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace vibes::eventlog::iggy
