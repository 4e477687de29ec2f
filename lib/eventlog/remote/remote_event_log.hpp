// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/open.hpp"
#include "eventlog/remote/ack_queue.hpp"
#include "eventlog/remote/intake.hpp"
#include "eventlog/remote/remote_group_offsets.hpp"
#include "eventlog/remote/remote_stream.hpp"
#include "eventlog/remote/replica.hpp"
#include "eventlog/remote/sequencer.hpp"

namespace vibes::eventlog::remote {

/// A log whose order is decided by an engine elsewhere, shared with other processes.
///
///   append() ─► Intake ──────► Sequencer ─► RemoteStream (the engine) ─► follower ─► Replica ─►
///   readers
///                 └► Outbox ─────┘
///
/// Everything is read from the replica, so a reader here is as fast as with a file log, and what
/// was copied can be read while the engine is away. An append is acknowledged when it has come
/// back.
class RemoteEventLog final : public CopyTarget {
 public:
  /// Opens the stream and copies what is missing of it. Of `options` the state directory, the
  /// retention (of the copy), the clock and the file system count.
  static Result<std::unique_ptr<RemoteEventLog>> open(std::unique_ptr<RemoteStream> stream,
                                                      const LogOptions& options);
  ~RemoteEventLog() override;

  [[nodiscard]] Uuid log_id() const override { return replica_->log().log_id(); }
  Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) override;
  Result<void> append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                               AppendDone done) override;
  [[nodiscard]] std::optional<IdWindow::Known> known(const Uuid& event_id) const override {
    return replica_->log().known(event_id);
  }
  Result<std::unique_ptr<Reader>> reader(const Position& position) override {
    return replica_->log().reader(position);
  }
  Result<Offset> resolve(const Position& position) override {
    return replica_->log().resolve(position);
  }
  [[nodiscard]] Offset first() const override { return replica_->log().first(); }
  [[nodiscard]] CommitSignal& signal() const override { return replica_->log().signal(); }
  [[nodiscard]] GroupOffsets& group_offsets() override { return *groups_; }
  [[nodiscard]] LogStatus status() const override;
  Result<void> close() override;

 private:
  RemoteEventLog(std::unique_ptr<RemoteStream> stream, const LogOptions& options)
      : stream_(std::move(stream)), options_(options) {}

  Result<void> start();
  Result<std::unique_ptr<Outbox>> open_outbox(const std::string& directory);
  Result<void> take(std::vector<event::NewEvent> batch, std::optional<Timestamp> recorded,
                    AppendDone done);
  void follow(const std::stop_token& stop);
  bool go_on_after(const Error& error, const std::stop_token& stop);

  std::unique_ptr<RemoteStream> stream_;
  const LogOptions options_;
  StreamFacts facts_;  // as open() found it
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<RemoteGroupOffsets> groups_;
  AckQueue acks_;
  AckQueue delivery_acks_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<Intake> intake_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<Error> trouble_ VIBES_GUARDED_BY(mutex_);  // of the follower
  std::uint64_t connection_changes_ VIBES_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> closed_ = false;
  Mutex closing_;
  std::jthread follower_;
};

}  // namespace vibes::eventlog::remote
