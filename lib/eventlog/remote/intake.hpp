// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/remote/ack_queue.hpp"
#include "eventlog/remote/outbox.hpp"
#include "eventlog/remote/sequencer.hpp"

namespace vibes::eventlog::remote {

/// Where an append goes: into the stream, or while the engine is away into the outbox. Order is
/// kept across the two: once there is something in the outbox everything goes there, until all of
/// it was handed to the sequencer. Thread-safe.
class Intake {
 public:
  /// How long the engine may be away until appends are acknowledged as pending is `patience`.
  /// Starts the thread that delivers. Without an outbox appends are refused while the engine is
  /// away. Everything must outlive it.
  Intake(RemoteStream& stream, Sequencer& sequencer, Sequencer::Acks acks,
         std::unique_ptr<Outbox> outbox, std::chrono::milliseconds patience);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();

  /// Errors: those of Sequencer::take() and Outbox::keep(), and unreachable.
  Result<void> take(RemoteAppend append, AppendDone done);

  void note_connection();

  /// Takes no more; waits up to `within` for the engine, and keeps the rest in the outbox.
  void close(std::chrono::milliseconds within);

  [[nodiscard]] Outbox::Load waiting() const;
  /// Why the outbox cannot be used any more, if so.
  [[nodiscard]] std::optional<Error> trouble() const;
  /// The engine can be reached and gives no answers: a cluster without a leader.
  [[nodiscard]] bool is_stuck() const;

 private:
  using Clockwork = std::chrono::steady_clock;
  enum class Way : std::uint8_t {
    stream,
    outbox,
    refusing,  // the engine is away, and there is no outbox
    held,      // the rest of the outbox is being handed over; what comes now follows it
  };
  struct Delivery {
    Outbox::Batch batch;
    std::optional<Result<AppendReceipt>> answer;
  };

  void run(const std::stop_token& stop);
  bool watch();
  bool watch_answers() VIBES_REQUIRES(mutex_);
  void go_away() VIBES_REQUIRES(mutex_);
  void keep(RemoteAppend append) VIBES_REQUIRES(mutex_);
  Result<bool> deliver();
  Result<bool> hand_over();
  [[nodiscard]] bool may_hand_over() const;
  Result<bool> settle();
  bool begin_again();
  bool open_way();
  void fail_outbox(const Error& error);

  RemoteStream& stream_;
  Sequencer& sequencer_;
  const Sequencer::Acks acks_;
  const std::unique_ptr<Outbox> outbox_;
  const std::chrono::milliseconds patience_;

  mutable Mutex mutex_;
  CondVar changed_;
  Way way_ VIBES_GUARDED_BY(mutex_) = Way::stream;
  std::optional<Clockwork::time_point> away_since_ VIBES_GUARDED_BY(mutex_);
  Clockwork::time_point answered_at_ VIBES_GUARDED_BY(mutex_) = Clockwork::now();
  std::uint64_t answers_ VIBES_GUARDED_BY(mutex_) = 0;  // of the sequencer's, seen
  bool stuck_ VIBES_GUARDED_BY(mutex_) = false;
  std::deque<RemoteAppend> held_ VIBES_GUARDED_BY(mutex_);
  std::size_t held_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  /// Handed to the sequencer, in order.
  std::deque<std::shared_ptr<Delivery>> deliveries_ VIBES_GUARDED_BY(mutex_);
  Clockwork::time_point full_until_ VIBES_GUARDED_BY(mutex_);  // the stream, as far as we know
  UuidV7Generator ids_ VIBES_GUARDED_BY(mutex_);
  std::optional<Error> trouble_ VIBES_GUARDED_BY(mutex_);
  bool closing_ VIBES_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace vibes::eventlog::remote
