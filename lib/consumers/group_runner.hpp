// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "consumers/consumer.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/waiter.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

struct RunnerOptions {
  std::string group = {};
  FirstStart first_start = FirstStart::beginning;
  std::uint64_t attempts_max = limits::kDeliveryAttemptsMax;
  std::uint64_t commit_every_events = limits::kCommitEveryEvents;
  /// But not sooner than this after the commit before: each takes two syncs from the log's disk.
  std::chrono::milliseconds commit_pause{0};
  /// How long to let events come together once all that was there has been handled: to be woken
  /// for each costs the threads that serve more than the work is worth.
  std::chrono::milliseconds gather_for{0};
  std::chrono::milliseconds tick_every{0};  // Handler::tick(); 0: never
  const Clock* clock = nullptr;             // nullptr: the system's
  Waiter* waiter = nullptr;                 // nullptr: the system's
};

/// A durable consumer group inside this process, with a thread of its own: reads the log from the
/// group's commit on, hands each event to the handler, retries with growing pauses, gives up into
/// the dead letters, commits what the handler has settled every 1,000 events or 1 s and when it
/// stops. Whatever fails around the
/// handler (reading, committing, making the handler) ends the round; the next starts from the
/// commit after a pause. A group that is moved starts a new round, with a new handler, where it was
/// moved to.
class GroupRunner {
 public:
  /// Starts at once: a group that starts at the log's end hears of everything that is appended from
  /// now on, unless somebody else is its member. Log and registry must outlive the runner.
  GroupRunner(eventlog::EventLog& log, GroupRegistry& registry, HandlerFactory make_handler,
              RunnerOptions options);
  GroupRunner(const GroupRunner&) = delete;
  GroupRunner& operator=(const GroupRunner&) = delete;
  /// Lets the handler finish its event, commits, leaves the group.
  ~GroupRunner();

 private:
  class Round;

  void run(const std::stop_token& stop);
  std::unique_ptr<Membership> try_join();
  std::unique_ptr<Membership> join(const std::stop_token& stop);
  Result<void> live(Membership& membership, Offset& start, const std::stop_token& stop);
  std::stop_token begin_round();
  void interrupt_round();

  eventlog::EventLog& log_;
  GroupRegistry& registry_;
  const HandlerFactory make_handler_;
  const RunnerOptions options_;
  const Clock& clock_;
  Waiter& waiter_;
  Mutex round_mutex_;
  std::stop_source round_stop_ VIBES_GUARDED_BY(round_mutex_);  // ends the present life only
  std::unique_ptr<Membership> joined_;  // by the constructor, for the thread; nullptr: not yet
  std::jthread thread_;                 // last: it uses everything above
};

}  // namespace vibes::consumers
