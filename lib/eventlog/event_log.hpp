// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "event/cursor.hpp"
#include "event/event.hpp"
#include "event/packed_events.hpp"
#include "eventlog/commit_signal.hpp"
#include "eventlog/durability.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/group_offsets.hpp"
#include "eventlog/position.hpp"
#include "eventlog/reader.hpp"

namespace vibes::eventlog {

/// What an append achieved.
struct AppendReceipt {
  /// Where one event of the batch is. A duplicate has the offset and the id of the event that was
  /// there before.
  struct Place {
    Offset offset;
    Uuid event_id;
    bool duplicate = false;
  };
  Durability durability = Durability::memory;
  std::vector<Place> places;  // one per event of the batch, in its order
  /// The engine is away: the events are kept on this machine, as durable as is said here, and come
  /// into the log when it is back. They have no offsets yet.
  bool pending = false;

  [[nodiscard]] std::uint64_t duplicates() const;
};

/// Called exactly once for every append() that returned success, in the order of the appends, on
/// the engine's own thread: it must be short, must not throw and must not wait. Not called while
/// any lock of the caller of append() is needed.
using AppendDone = std::function<void(Result<AppendReceipt>)>;

/// Several appends of one producer, one behind the other; each is all or nothing by itself.
struct AppendBundle {
  event::PackedEvents events;     // of all of them
  std::vector<std::size_t> ends;  // of each append: where its events end in `events`

  [[nodiscard]] bool empty() const { return ends.empty(); }
  /// The events that were added since the last one are an append.
  void close_append() { ends.push_back(events.size()); }
  /// Those of one append.
  [[nodiscard]] event::PackedSlice events_of(std::size_t append) const {
    const std::size_t begin = append == 0 ? 0 : ends[append - 1];
    return events.slice(begin, ends[append] - begin);
  }
  /// Takes the first `appends` out of it.
  AppendBundle take_front(std::size_t appends);
};

/// What became of appends of a bundle that stand next to each other.
struct BundleReceipt {
  struct Refusal {
    std::size_t append = 0;  // which of these, counted from 0
    Error error;
  };
  std::size_t appends = 0;
  Durability durability = Durability::memory;  // of those that were not refused
  bool pending = false;                        // as in AppendReceipt
  /// One per event of the appends that were not refused, in order.
  std::vector<AppendReceipt::Place> places = {};
  std::vector<Refusal> refused = {};  // in order
};

/// Called for one part of the bundle after the other, in order, until each of its appends was
/// told of once. The rules of AppendDone.
using BundleDone = std::function<void(BundleReceipt)>;

/// For a bundle of one append: its answer as append() gives it.
BundleDone answer_of_one(AppendDone done);

/// What the log can do right now, for people and for /api/health.
struct LogStatus {
  /// away: the engine that decides the order cannot be reached just now.
  enum class State : std::uint8_t { writable, full, failed, closed, read_only, away };
  State state = State::writable;
  std::string reason;           // empty while writable
  std::string url;              // without secrets
  DurabilityPolicy durability;  // as configured
  /// What acks say where an engine elsewhere decides that, whatever is configured here.
  std::optional<Durability> engine_durability;
  std::uint64_t bytes = 0;  // on disk, or in memory for an engine without one
  std::uint64_t segments = 0;
  std::uint64_t queued_bytes = 0;  // appends waiting for the writer
  /// Whether appends are kept here while the engine is away.
  bool has_outbox = false;
  /// Of an engine that is away, or was: events kept here that are not in the log yet.
  std::uint64_t pending_events = 0;
  std::uint64_t refused_events = 0;  // of those, since the start, that it never took
  /// What was found in the engine since the start, and is no event of this log's.
  std::uint64_t foreign_messages = 0;
  std::string recovery;  // what the last open found and did, one line; empty after a clean stop

  /// Appends are acknowledged just now, be it as pending.
  [[nodiscard]] bool takes_events() const {
    return state == State::writable || (state == State::away && has_outbox);
  }
  /// The durability for people.
  [[nodiscard]] std::string durability_text() const {
    return engine_durability ? std::string(to_string(*engine_durability)) : to_string(durability);
  }
};

/// The durable, ordered record of everything: the seam that every engine implements.
///
/// *Appended* means taken into the engine's queue; *durable* means what DurabilityPolicy promises.
/// Readers, acks and listeners see only what is durable. end() is the high-water mark: the next
/// offset a reader would see.
///
/// Idempotency: an event whose event_id is already in the log with the same payload is not appended
/// again: its receipt carries the first offset, flagged duplicate. With another payload the whole
/// batch fails with event_id_conflict. Known ids are those of the last
/// limits::kIdempotencyWindowEvents events, also across restarts. The same id twice within one
/// batch follows the same rule.
///
/// All methods are thread-safe unless they say otherwise.
class EventLog {
 public:
  EventLog() = default;
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  virtual ~EventLog() = default;

  /// Names this log for ever; cursors carry it.
  [[nodiscard]] virtual Uuid log_id() const = 0;

  /// Takes a batch: all of its events or none, next to each other in the order given. Appends of
  /// one thread keep their order. Never waits for I/O. If an error is returned `done` is not called
  /// and nothing was taken: event::Errc::empty_batch, batch_too_large, queue_full, closed, failed,
  /// storage_full. Through `done`: event_id_conflict, storage_full, indeterminate, failed.
  virtual Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) = 0;

  /// The same for several appends at about the price of one. Returns how many were taken, from the
  /// front, and takes these out of the bundle; an error is about the first. The engine may leave
  /// them where they are until drive() is called: the caller does that before it waits for
  /// anything.
  virtual Result<std::size_t> append_bundle(AppendBundle& bundle, BundleDone done);
  /// Makes sure that what append_bundle() took is committed. The engine may do it on this thread,
  /// which then calls `done` and the listeners, where it has been quick of late.
  virtual void drive() {}
  /// append() for who calls drive() afterwards.
  Result<void> append_driven(std::vector<event::NewEvent> batch, AppendDone done);

  /// Errors: out_of_range (an offset past the end), not_found (no such event_id), or the I/O error.
  virtual Result<std::unique_ptr<Reader>> reader(const Position& position) = 0;
  /// The offset at which reader(position) would start.
  virtual Result<Offset> resolve(const Position& position) = 0;

  [[nodiscard]] virtual Offset first() const = 0;  // the oldest offset still kept
  [[nodiscard]] Offset end() const { return signal().end(); }

  /// The end's movements: listen or wait, never poll.
  [[nodiscard]] virtual CommitSignal& signal() const = 0;
  [[nodiscard]] virtual GroupOffsets& group_offsets() = 0;
  [[nodiscard]] virtual LogStatus status() const = 0;

  /// Finishes what was appended, makes it durable, refuses the rest. Waits. Idempotent; called by
  /// the destructor too.
  virtual Result<void> close() = 0;

  /// The cursor that stands before `next`. Errors as reader().
  Result<event::Cursor> cursor_at(Offset next);
  /// The offset to continue from. Errors: event::Errc::cursor_mismatch if the cursor is of another
  /// log, or the event before it is not the one the cursor saw. Where that event is no longer kept
  /// its check is waived.
  Result<Offset> resume(const event::Cursor& cursor);
};

}  // namespace vibes::eventlog
