// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <ranges>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/uuid.hpp"
#include "event/event.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/id_window.hpp"
#include "eventlog/remote/ack_queue.hpp"
#include "eventlog/remote/remote_append.hpp"
#include "eventlog/remote/remote_stream.hpp"
#include "eventlog/remote/replica.hpp"

namespace vibes::eventlog::remote {

/// Brings appends into the stream, in order and once each.
///
/// It knows where the stream ends, because the replica follows it, and offers each append as the
/// message behind that end, several of them at a time without waiting. An append is acknowledged
/// when the replica has read it back at its place; that also answers a publish whose own answer was
/// lost. Where another writer's message comes first, or an answer stays away, everything that
/// was offered is settled (waited for, then looked up in the replica), and what is not in the
/// stream is offered again behind the new end.
///
/// Thread-safe.
class Sequencer {
 public:
  struct Acks {
    AckQueue& clients;
    AckQueue& deliveries;  // from the outbox
  };
  struct Options {
    Durability durability = Durability::os;
    const Clock* clock = nullptr;  // nullptr: the system's
    /// As in StreamFacts.
    std::size_t message_bytes_max = 0;
    std::size_t event_overhead_bytes = 0;
  };

  /// Starts a thread. Stream, replica and acks must outlive it.
  Sequencer(RemoteStream& stream, Replica& replica, Acks acks, Options options);
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;
  ~Sequencer();

  /// Gives the append its ticket. Errors: queue_full, closed, failed; then nothing was taken and
  /// nothing will be answered.
  Result<void> take(RemoteAppend append, AppendDone done);
  /// The same for an append that has its ticket, whatever waits already.
  void put(RemoteAppend append);
  /// Gives up what clients wait for: it is in the caller's hands now, oldest first. Some of it may
  /// be in the stream.
  std::deque<RemoteAppend> take_back();
  /// Waits until nothing waits, up to `within`.
  void wait_until_idle(std::chrono::milliseconds within);

  /// The replica has everything up to `sequence`.
  void note_applied(std::uint64_t sequence);
  /// Another writer waits for its turn: lets it have one.
  void give_way();
  void note_connection();
  /// Nothing more will be applied: what waits is answered with the error.
  void fail_all(const Error& error);

  /// Takes no more and answers what waits with an error.
  void close();

  [[nodiscard]] std::size_t queued_bytes() const;

  /// Whether the engine owes an answer, and how many it has given: where it owes one for long and
  /// the number stays the same it can be reached, and does not work.
  struct Answers {
    std::uint64_t given = 0;
    bool owed = false;
  };
  [[nodiscard]] Answers answers() const;

 private:
  using Clockwork = std::chrono::steady_clock;

  /// An append that was offered, or that consists of duplicates and waits for what came before.
  struct Offered {
    RemoteAppend append;
    std::vector<AppendReceipt::Place> places;
    std::optional<Uuid> first_new;  // nothing: only duplicates
    Offset first_new_offset;
    bool shares = false;           // its message with other appends
    std::uint64_t sequence = 0;    // it is answered once everything up to there is applied
    std::uint64_t published = 0;   // the sequence that the engine gave it; 0: not known
    std::optional<Error> refused;  // by the engine, for good
  };
  /// What is to be offered in one message.
  struct Joined {
    RemoteBatch batch;
    std::size_t events = 0;  // with duplicates
    std::size_t bytes = 0;
    std::size_t sharing = 0;  // appends with an event in it
  };

  void run();
  bool wait_for_work(MutexLock& lock) VIBES_REQUIRES(mutex_);
  void wake() VIBES_REQUIRES(mutex_);
  [[nodiscard]] bool may_offer() const VIBES_REQUIRES(mutex_);
  void offer() VIBES_REQUIRES(mutex_);
  [[nodiscard]] bool better_waits() const VIBES_REQUIRES(mutex_);
  [[nodiscard]] bool fits(const Joined& joined, const RemoteAppend& append) const
      VIBES_REQUIRES(mutex_);
  [[nodiscard]] std::size_t joined_bytes(const RemoteAppend& append) const;
  void join(Joined& joined, RemoteAppend append) VIBES_REQUIRES(mutex_);
  Result<std::vector<AppendReceipt::Place>> place(const RemoteAppend& append, RemoteBatch& batch)
      VIBES_REQUIRES(mutex_);
  [[nodiscard]] std::optional<IdWindow::Known> known(const Uuid& event_id) const
      VIBES_REQUIRES(mutex_);
  std::ranges::subrange<std::deque<Offered>::iterator> with_sequence(std::uint64_t sequence)
      VIBES_REQUIRES(mutex_);
  [[nodiscard]] std::optional<Error> why_not(const Offered& offered) const VIBES_REQUIRES(mutex_);
  /// Gives the mutex up meanwhile, as settle_lost() does.
  void publish(const RemoteBatch& batch) VIBES_REQUIRES(mutex_);
  void note_published(std::uint64_t expected, const Result<std::uint64_t>& sequence);
  void settle_applied() VIBES_REQUIRES(mutex_);
  void settle_lost(MutexLock& lock) VIBES_REQUIRES(mutex_);
  void begin_anew() VIBES_REQUIRES(mutex_);
  void forget(const Offered& offered) VIBES_REQUIRES(mutex_);
  void answer(Offered& offered) VIBES_REQUIRES(mutex_);
  void resolve(const RemoteAppend& append, Result<AppendReceipt> answer);
  void flush();
  [[nodiscard]] bool is_idle() const VIBES_REQUIRES(mutex_);
  void refuse_all(const Error& error) VIBES_REQUIRES(mutex_);

  RemoteStream& stream_;
  Replica& replica_;
  const Acks acks_;
  const Options options_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<RemoteAppend> queue_ VIBES_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ VIBES_GUARDED_BY(mutex_) = 0;  // with those that were offered
  std::deque<Offered> offered_ VIBES_GUARDED_BY(mutex_);
  std::size_t offered_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  std::unordered_map<Uuid, IdWindow::Known> offered_ids_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t unanswered_ VIBES_GUARDED_BY(mutex_) = 0;  // publishes
  std::uint64_t answers_ VIBES_GUARDED_BY(mutex_) = 0;     // that say something
  std::uint64_t applied_ VIBES_GUARDED_BY(mutex_);         // sequence
  std::uint64_t last_sequence_ VIBES_GUARDED_BY(mutex_);   // of what was offered
  Offset next_ VIBES_GUARDED_BY(mutex_);                   // behind what was offered
  Timestamp last_time_ VIBES_GUARDED_BY(mutex_);
  Timestamp new_from_ VIBES_GUARDED_BY(mutex_);  // of what is recorded here and not copied
  UuidV7Generator ids_ VIBES_GUARDED_BY(mutex_);
  Clockwork::time_point published_at_ VIBES_GUARDED_BY(mutex_);  // the newest
  bool lost_ VIBES_GUARDED_BY(mutex_) = false;
  unsigned losses_ VIBES_GUARDED_BY(mutex_) = 0;  // in a row
  Clockwork::time_point way_given_until_ VIBES_GUARDED_BY(mutex_);
  bool closing_ VIBES_GUARDED_BY(mutex_) = false;
  std::optional<Error> failed_ VIBES_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace vibes::eventlog::remote
