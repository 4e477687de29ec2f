// SPDX-License-Identifier: MIT
#include "session/event_outbox.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/uuid.hpp"

namespace vibes::session {

namespace {

constexpr std::size_t kBatchEvents = 256;
// session_created, session_state_changed and session_removed of every session that may run.
constexpr std::size_t kReserved = 3 * limits::kSessionsMax;
static_assert(limits::kSessionEventsPendingMax > 2 * kReserved);

constexpr std::int64_t kNanosPerMilli = 1'000'000;

}  // namespace

struct EventOutbox::State : std::enable_shared_from_this<State> {
  State(eventlog::EventLog& the_log, const Clock& the_clock, std::function<void()> on_attention)
      : log(the_log), clock(the_clock), attention(std::move(on_attention)) {}

  void add(event::NewEvent event) VIBES_REQUIRES(mutex) {
    event.event_id = ids.next(clock.now());
    pending.push_back(std::move(event));
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
      batch.assign(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(count));
    }
    const std::size_t count = batch.size();
    auto appended = log.append(std::move(batch), [self = shared_from_this(),
                                                  count](Result<eventlog::AppendReceipt> receipt) {
      self->on_answer(count, receipt ? nullptr : &receipt.error());
    });
    if (!appended) {
      on_answer(count, &appended.error());
    }
  }

  // Runs on the engine's thread, or on ours where the append was refused at once.
  void on_answer(std::size_t count, const Error* error) {
    std::function<void()> call;
    {
      const MutexLock lock(mutex);
      in_flight = false;
      if (error == nullptr) {
        pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(count));
        problem.clear();
        retry_at_ns.reset();
        retry_ms = limits::kRetryFirst.count();
      } else {
        problem = error->message();
        retry_at_ns = clock.steady_ns() + retry_ms * kNanosPerMilli;
        retry_ms = std::min<std::int64_t>(retry_ms * 2, kRetryLastMs);
      }
      if (pending.empty()) {
        drained.notify_all();
      } else if (!closed) {
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
  std::deque<event::NewEvent> pending VIBES_GUARDED_BY(mutex);
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
    : state_(std::make_shared<State>(log, clock, std::move(attention))) {}

EventOutbox::~EventOutbox() {
  const MutexLock lock(state_->mutex);
  state_->closed = true;
  state_->attention = nullptr;
}

bool EventOutbox::has_room_for_session() const {
  const MutexLock lock(state_->mutex);
  return state_->pending.size() + kReserved < limits::kSessionEventsPendingMax;
}

void EventOutbox::push(std::vector<event::NewEvent> events) {
  {
    const MutexLock lock(state_->mutex);
    for (event::NewEvent& event : events) {
      state_->add(std::move(event));
    }
  }
  state_->append_due();
}

void EventOutbox::push_unreserved(event::NewEvent event) {
  {
    const MutexLock lock(state_->mutex);
    // Half of what is not reserved: the rest lets sessions start while clients come and go.
    if (state_->pending.size() >= (limits::kSessionEventsPendingMax - kReserved) / 2) {
      ++state_->lost;
      return;
    }
    state_->add(std::move(event));
  }
  state_->append_due();
}

void EventOutbox::service() { state_->append_due(); }

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
