// SPDX-License-Identifier: MIT
#include "session/event_outbox.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/uuid.hpp"

namespace vibes::session {

namespace {

constexpr std::size_t kBatchEvents = 256;
// session_created, session_linked, session_state_changed and session_removed of every session that
// may run.
constexpr std::size_t kReserved = 4 * limits::kSessionsMax;
static_assert(limits::kSessionEventsPendingMax > 2 * kReserved);

constexpr std::int64_t kNanosPerMilli = 1'000'000;

}  // namespace

struct EventOutbox::State : std::enable_shared_from_this<State> {
  State(eventlog::EventLog& the_log, const Clock& the_clock, std::function<void()> on_attention)
      : log(the_log), clock(the_clock), attention(std::move(on_attention)) {}

  struct Pending {
    event::NewEvent event;
    std::function<void()> settled;  // with the last event of a push
  };
  struct Settling {
    std::optional<Offset> visible_at;  // nothing: at once
    std::function<void()> settled;
  };

  void add(event::NewEvent event, std::function<void()> settled) VIBES_REQUIRES(mutex) {
    if (!event.event_id) {
      event.event_id = ids.next(clock.now());
    }
    pending.push_back({.event = std::move(event), .settled = std::move(settled)});
  }

  [[nodiscard]] bool is_due() const VIBES_REQUIRES(mutex) {
    return !closed && !in_flight && !pending.empty() &&
           (!retry_at_ns || clock.steady_ns() >= *retry_at_ns);
  }

  void append_due() {
    std::vector<event::NewEvent> batch;
    {
      const MutexLock lock(mutex);
      if (!is_due()) {
        return;
      }
      in_flight = true;
      const std::size_t count = std::min(pending.size(), kBatchEvents);
      batch.reserve(count);
      for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(pending[i].event);
      }
    }
    auto appended =
        log.append(std::move(batch),
                   [self = shared_from_this()](const Result<eventlog::AppendReceipt>& receipt) {
                     self->on_answer(receipt);
                   });
    if (!appended) {
      on_answer(fail(std::move(appended).error()));
    }
  }

  // Runs on the engine's thread, or on ours where the append was refused at once.
  void on_answer(const Result<eventlog::AppendReceipt>& receipt) {
    std::function<void()> call;
    {
      const MutexLock lock(mutex);
      in_flight = false;
      if (receipt) {
        take_appended(*receipt);
      } else {
        note_refusal(receipt.error());
      }
      if (pending.empty()) {
        drained.notify_all();
      }
      if (!closed && (!pending.empty() || !settling.empty())) {
        call = attention;
      }
    }
    if (call) {
      call();
    }
  }

  // Nobody knows when events become visible that the log keeps for an engine that is away.
  void take_appended(const eventlog::AppendReceipt& receipt) VIBES_REQUIRES(mutex) {
    for (const auto& place : receipt.places) {
      if (pending.front().settled) {
        settling.push_back(
            {.visible_at = receipt.pending ? std::nullopt : std::optional(place.offset),
             .settled = std::move(pending.front().settled)});
      }
      pending.pop_front();
    }
    problem.clear();
    retry_at_ns.reset();
    retry_ms = limits::kRetryFirst.count();
  }

  void note_refusal(const Error& error) VIBES_REQUIRES(mutex) {
    problem = error.message();
    retry_at_ns = clock.steady_ns() + retry_ms * kNanosPerMilli;
    retry_ms = std::min<std::int64_t>(retry_ms * 2, kRetryLastMs);
    for (Pending& waiting : pending) {
      if (waiting.settled) {
        settling.push_back(
            {.visible_at = std::nullopt, .settled = std::exchange(waiting.settled, {})});
      }
    }
  }

  void call_settled(Offset end) {
    std::vector<Settling> due;
    {
      const MutexLock lock(mutex);
      const auto later =
          std::stable_partition(settling.begin(), settling.end(), [&](const Settling& waiting) {
            return waiting.visible_at && *waiting.visible_at >= end;
          });
      due.assign(std::make_move_iterator(later), std::make_move_iterator(settling.end()));
      settling.erase(later, settling.end());
    }
    for (const Settling& waiting : due) {
      waiting.settled();
    }
  }

  void on_log_moved() {
    std::function<void()> call;
    {
      const MutexLock lock(mutex);
      if (!settling.empty() && !closed) {
        call = attention;
      }
    }
    if (call) {
      call();
    }
  }

  // An operator who frees the disk should not wait long for the record to be complete.
  static constexpr std::int64_t kRetryLastMs = 2'000;

  eventlog::EventLog& log;
  const Clock& clock;

  mutable Mutex mutex;
  CondVar drained;
  std::function<void()> attention VIBES_GUARDED_BY(mutex);
  std::deque<Pending> pending VIBES_GUARDED_BY(mutex);
  std::vector<Settling> settling VIBES_GUARDED_BY(mutex);
  UuidV7Generator ids VIBES_GUARDED_BY(mutex);
  bool in_flight VIBES_GUARDED_BY(mutex) = false;
  bool closed VIBES_GUARDED_BY(mutex) = false;
  std::optional<std::int64_t> retry_at_ns VIBES_GUARDED_BY(mutex);
  std::int64_t retry_ms VIBES_GUARDED_BY(mutex) = limits::kRetryFirst.count();
  std::uint64_t lost VIBES_GUARDED_BY(mutex) = 0;
  std::string problem VIBES_GUARDED_BY(mutex);
};

EventOutbox::EventOutbox(eventlog::EventLog& log, const Clock& clock,
                         std::function<void()> attention)
    : state_(std::make_shared<State>(log, clock, std::move(attention))),
      subscription_(log.signal().listen([state = state_](Offset) { state->on_log_moved(); })) {}

EventOutbox::~EventOutbox() {
  const MutexLock lock(state_->mutex);
  state_->closed = true;
  state_->attention = nullptr;
}

bool EventOutbox::has_room_for_session() const {
  const MutexLock lock(state_->mutex);
  return state_->pending.size() + kReserved < limits::kSessionEventsPendingMax;
}

void EventOutbox::push(std::vector<event::NewEvent> events, std::function<void()> settled) {
  {
    const MutexLock lock(state_->mutex);
    if (state_->retry_at_ns && settled) {
      state_->settling.push_back(
          {.visible_at = std::nullopt, .settled = std::exchange(settled, {})});
    }
    for (event::NewEvent& event : events) {
      const bool is_last = &event == &events.back();
      state_->add(std::move(event), is_last ? std::move(settled) : nullptr);
    }
  }
  state_->append_due();
  // What came while the log refuses is told at once.
  state_->on_log_moved();
}

void EventOutbox::push_unreserved(event::NewEvent event) {
  {
    const MutexLock lock(state_->mutex);
    // Half of what is not reserved: the rest lets sessions start while clients come and go.
    if (state_->pending.size() >= (limits::kSessionEventsPendingMax - kReserved) / 2) {
      ++state_->lost;
      return;
    }
    state_->add(std::move(event), nullptr);
  }
  state_->append_due();
}

void EventOutbox::service() {
  state_->append_due();
  state_->call_settled(state_->log.end());
}

void EventOutbox::settle_all() {
  state_->call_settled(Offset(std::numeric_limits<std::uint64_t>::max()));
}

std::optional<std::int64_t> EventOutbox::due_ns() const {
  const MutexLock lock(state_->mutex);
  if (state_->in_flight || state_->pending.empty()) {
    return std::nullopt;
  }
  return state_->retry_at_ns.value_or(state_->clock.steady_ns());
}

EventOutbox::Health EventOutbox::health() const {
  const MutexLock lock(state_->mutex);
  return {.pending = state_->pending.size(), .lost = state_->lost, .problem = state_->problem};
}

bool EventOutbox::drain(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(state_->mutex);
  while (!state_->pending.empty()) {
    if (state_->drained.wait_until(lock, deadline) == std::cv_status::timeout) {
      return state_->pending.empty();
    }
  }
  return true;
}

}  // namespace vibes::session
