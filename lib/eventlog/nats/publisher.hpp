// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/nats/connection.hpp"
#include "eventlog/nats/handles.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::nats {

/// Offers batches to the stream and hands out the answers. Every batch that was taken over gets
/// exactly one: the server's, or Errc::indeterminate after limits::kEngineRequestWithin, when the
/// connection is lost, or in close(). Thread-safe but for open().
class Publisher {
 public:
  using Published = remote::RemoteStream::Published;

  explicit Publisher(std::string subject_prefix) : subject_prefix_(std::move(subject_prefix)) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() { close(); }

  Result<void> open(natsConnection* connection);
  /// Before the connection's. Not from within an answer. No answer is given after it returned.
  void close();

  Result<void> publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                       Published done);
  /// The connection is gone, and with it the answers that were under way.
  void lost();

 private:
  /// A message of ours that is in the stream at `sequence`, or nowhere yet, or not at all.
  struct Offered {
    std::uint64_t sequence = 0;
    std::string id;
  };
  struct Waiting {
    std::uint64_t number = 0;  // in which order they were offered
    std::uint64_t sequence = 0;
    Published done;
  };

  static void answered(jsCtx*, natsMsg* message, jsPubAck* ack, jsPubAckErr* error, void* self);
  void answer(natsMsg* message, Result<std::uint64_t> outcome);
  void fail_all(const char* why);
  std::string id_expected_at(std::uint64_t sequence);
  void expect(natsMsg* message, Offered offered, Published done);
  bool has_offered();
  /// Whether it still waited.
  bool forget(natsMsg* message);

  const std::string subject_prefix_;
  Mutex gate_;  // publish() or close(); before mutex_
  NatsPtr<jsCtx> jetstream_ VIBES_GUARDED_BY(gate_);
  Mutex mutex_;
  std::uint64_t number_ VIBES_GUARDED_BY(mutex_) = 0;
  Offered last_offered_ VIBES_GUARDED_BY(mutex_);  // until it is known to be in its place
  // libnats names a publish by its message, which is ours again with the answer.
  std::unordered_map<natsMsg*, Waiting> waiting_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::nats
