// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/nats/handles.hpp"
#include "eventlog/nats/options.hpp"

namespace vibes::eventlog::nats {

using Deadline = std::chrono::steady_clock::time_point;

/// A connection that, once it was there, libnats makes again for ever. Nothing is kept to be sent
/// later while it is not there. Thread-safe but for open() and close().
class Connection {
 public:
  explicit Connection(const NatsOptions& options) : options_(options) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  /// Both are called on a thread of libnats; to be set before open(). `lost` comes before
  /// `changed`.
  void on_lost(std::function<void()> lost) { lost_ = std::move(lost); }
  void on_changed(std::function<void()> changed) { changed_ = std::move(changed); }

  /// Tries until the deadline. Errors: Errc::unreachable, unauthorized.
  Result<void> open(Deadline until);
  /// Ends what waits; is_closing() from here on.
  void begin_close();
  /// No callback runs after it returned.
  void close();

  /// How many are open in this process.
  static int count_open();

  /// Null before open() and after close().
  [[nodiscard]] natsConnection* get() const { return connection_.get(); }
  /// For requests; each waits up to limits::kEngineRequestWithin.
  [[nodiscard]] jsCtx* jetstream() const { return jetstream_.get(); }

  [[nodiscard]] bool is_connected() const { return connected_; }
  /// How often it was made again: subscriptions from before are not to be trusted.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] bool is_closing() const { return closing_; }
  /// Waits for the connection, for close() or for `stop`.
  void wait_connected(Deadline until, const std::stop_token& stop);
  /// Waits for close() or for `stop`.
  void pause(Deadline until, const std::stop_token& stop);

 private:
  static void disconnected(natsConnection*, void* self);
  static void reconnected(natsConnection*, void* self);
  static void closed(natsConnection*, void* self);
  static std::int64_t reconnect_delay(natsConnection*, int attempts, void*);
  Result<NatsPtr<natsOptions>> make_options(Deadline until);
  Result<void> connect(Deadline until);

  const NatsOptions options_;
  std::function<void()> lost_;
  std::function<void()> changed_;
  NatsPtr<natsConnection> connection_;
  NatsPtr<jsCtx> jetstream_;
  std::atomic<bool> connected_ = false;
  std::atomic<bool> closing_ = false;
  std::atomic<std::uint64_t> epoch_ = 0;
  Mutex mutex_;
  CondVar wake_;
  bool closed_ VIBES_GUARDED_BY(mutex_) = false;
};

}  // namespace vibes::eventlog::nats
