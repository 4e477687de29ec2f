// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/nats/connection.hpp"
#include "eventlog/nats/handles.hpp"
#include "eventlog/nats/options.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::nats {

/// The groups in two key-value buckets beside the stream, made by whoever uses them first.
/// "vibes-groups-STREAM" has a key for each group, with the offset in decimal; "vibes-holds-STREAM"
/// one for each group that is held, with the owner, which the server drops after kHeldFor.
/// Thread-safe.
class Groups final : public remote::RemoteGroups {
 public:
  Groups(Connection& connection, const NatsOptions& options)
      : connection_(connection), options_(options) {}

  Result<Offsets> load() override;
  Result<void> store(std::string_view group, Offset next) override;
  Result<void> remove(std::string_view group) override;
  Result<std::optional<std::string>> hold(std::string_view group, std::string_view owner) override;
  Result<void> let_go(std::string_view group, std::string_view owner) override;
  /// Before the connection's.
  void close();

 private:
  /// The bucket, made if missing. `ttl` 0: its values stay.
  Result<kvStore*> bucket(NatsPtr<kvStore>& store, const std::string& name,
                          std::chrono::nanoseconds ttl) VIBES_REQUIRES(mutex_);
  Result<kvStore*> offsets() VIBES_REQUIRES(mutex_);
  Result<kvStore*> holds() VIBES_REQUIRES(mutex_);
  [[nodiscard]] std::string offsets_name() const { return "vibes-groups-" + options_.stream; }
  [[nodiscard]] std::string holds_name() const { return "vibes-holds-" + options_.stream; }

  Connection& connection_;
  const NatsOptions& options_;
  Mutex mutex_;
  NatsPtr<kvStore> offsets_ VIBES_GUARDED_BY(mutex_);
  NatsPtr<kvStore> holds_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::nats
