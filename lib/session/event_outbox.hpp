// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::session {

/// The way of the registry's events into the log: in the order they were pushed, each exactly once,
/// also where the log refuses for a while. One append is under way at a time, so that a refused one
/// cannot be overtaken; what fails is tried again with the same event_id, so that it cannot be
/// doubled. Bounded by limits::kSessionEventsPendingMax.
///
/// Thread-safe. Nothing is appended any more after close().
class EventOutbox {
 public:
  /// `attention` is called, on any thread, when there is something for service() to do.
  EventOutbox(eventlog::EventLog& log, const Clock& clock, std::function<void()> attention);
  EventOutbox(const EventOutbox&) = delete;
  EventOutbox& operator=(const EventOutbox&) = delete;
  ~EventOutbox();

  /// Whether another session may start: the events of all sessions, to their ends, must have a
  /// place here.
  [[nodiscard]] bool has_room_for_session() const;
  /// Events of sessions: always taken, because has_room_for_session() was asked before the session
  /// began. `settled` is called by service(), once readers of the log see the events, or as soon as
  /// the log refuses or keeps them as pending: then they will come later.
  void push(std::vector<event::NewEvent> events, std::function<void()> settled = {});
  /// Events of clients: counted as lost if only the places of the sessions are left.
  void push_unreserved(event::NewEvent event);

  /// Appends what waits and is due, and calls what has settled. For the session thread, after
  /// `attention` and at due_ns().
  void service();
  /// Calls what has not settled: nobody will call service() any more.
  void settle_all();
  /// When service() should try again, on the clock's steady_ns(); nothing while nothing waits for a
  /// retry.
  [[nodiscard]] std::optional<std::int64_t> due_ns() const;

  struct Health {
    std::size_t pending = 0;
    std::uint64_t lost = 0;
    std::string problem;
  };
  [[nodiscard]] Health health() const;

  /// Waits until nothing is pending, at most until `timeout`; somebody must call service()
  /// meanwhile. True: all is in the log.
  bool drain(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the acks under way, which may come after us
  eventlog::CommitSignal::Subscription subscription_;
};

}  // namespace vibes::session
