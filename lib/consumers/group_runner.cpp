// SPDX-License-Identifier: MIT
#include "consumers/group_runner.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/thread_priority.hpp"

namespace vibes::consumers {
namespace {

constexpr std::chrono::hours kUntilWoken{1};
// An event may cost less than a look at the clock.
constexpr std::uint64_t kEventsPerLook = 16;

std::string what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown kind";
  }
}

}  // namespace

/// One life of the consumer: from the commit to a stop or a failure.
class GroupRunner::Round {
 public:
  Round(GroupRunner& runner, Membership& membership, Handler& handler, Offset start,
        const std::stop_token& stop)
      : runner_(runner),
        membership_(membership),
        handler_(handler),
        stop_(stop),
        done_(start),
        committed_(start),
        settled_at_(start),
        gathered_at_(start),
        committed_at_ns_(runner.clock_.steady_ns()),
        ticked_at_ns_(committed_at_ns_) {}

  Result<void> run() {
    VIBES_TRY_ASSIGN(reader, runner_.log_.reader(done_));
    while (!stop_.stop_requested()) {
      VIBES_TRY_ASSIGN(batch, reader->read({}));
      if (batch.gap) {
        done_ = batch.gap->to;  // lost to retention, which the registry's lag counts no longer
      } else if (batch.events.empty()) {
        VIBES_TRY(wait_for_more());
      }
      for (const event::EventView& event : batch.events) {
        VIBES_TRY(deliver(event));
        if (stop_.stop_requested()) {
          break;
        }
        // Once, when so many have gathered: a commit that has to wait for its pause must not cost a
        // look at the clock an event.
        if (--until_look_ == 0 || done_ - settled_at_ == runner_.options_.commit_every_events) {
          VIBES_TRY(look_at_clock());
        }
      }
      if (!batch.events.empty() && !stop_.stop_requested()) {
        VIBES_TRY(look_at_clock());
      }
    }
    return commit(Handler::Occasion::last);
  }

  [[nodiscard]] Offset committed() const { return committed_; }

 private:
  Outcome try_once(const event::EventView& event, std::uint64_t attempt) {
    try {
      return handler_.handle(event, attempt);
    } catch (...) {
      return Outcome::retry(what_of(std::current_exception()));
    }
  }

  /// Returns with the event done, or not done and a stop requested.
  Result<void> deliver(const event::EventView& event) {
    Backoff backoff;
    for (std::uint64_t attempt = 1;; ++attempt) {
      Outcome outcome = try_once(event, attempt);
      if (outcome.kind == Outcome::Kind::ok) {
        return finish(event, attempt);
      }
      if (outcome.kind == Outcome::Kind::reject || attempt >= runner_.options_.attempts_max) {
        return give_up(event, std::move(outcome.reason), attempt);
      }
      membership_.report({GroupState::retrying, attempt, std::move(outcome.reason)});
      runner_.waiter_.wait(backoff.next(), stop_);
      if (stop_.stop_requested()) {
        return {};
      }
    }
  }

  Result<void> finish(const event::EventView& event, std::uint64_t attempt) {
    done_ = event.offset + 1;
    if (attempt > 1) {
      until_look_ = 1;  // it took a while
      membership_.report({});
    }
    return {};
  }

  Result<void> give_up(const event::EventView& event, std::string reason, std::uint64_t attempts) {
    // Not a commit: the handler may still be at work on events before this one.
    VIBES_TRY(membership_.set_aside_now(event.offset, std::move(reason), attempts));
    done_ = event.offset + 1;
    until_look_ = 1;
    membership_.report({});
    return {};
  }

  Result<void> commit(Handler::Occasion occasion) {
    committed_at_ns_ = runner_.clock_.steady_ns();
    settled_at_ = done_;
    if (done_ == committed_) {
      return {};
    }
    VIBES_TRY_ASSIGN(settled, handler_.settle(done_, occasion));
    VIBES_ASSERT(settled <= done_);
    if (settled > committed_) {
      VIBES_TRY(membership_.commit_now(settled));
      committed_ = settled;
    }
    return {};
  }

  [[nodiscard]] std::chrono::milliseconds since(std::int64_t then_ns) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::nanoseconds(runner_.clock_.steady_ns() - then_ns));
  }

  Result<void> commit_if_due() {
    const std::chrono::milliseconds passed = since(committed_at_ns_);
    const bool many = done_ - settled_at_ >= runner_.options_.commit_every_events &&
                      passed >= runner_.options_.commit_pause;
    const bool due = many || passed >= limits::kCommitEvery;
    return due ? commit(Handler::Occasion::routine) : Result<void>{};
  }

  void tick_if_due() {
    const std::chrono::milliseconds every = runner_.options_.tick_every;
    if (every.count() > 0 && since(ticked_at_ns_) >= every) {
      ticked_at_ns_ = runner_.clock_.steady_ns();
      handler_.tick();
    }
  }

  Result<void> look_at_clock() {
    until_look_ = kEventsPerLook;
    VIBES_TRY(commit_if_due());
    tick_if_due();
    return {};
  }

  Result<void> wait_for_more() {
    if (runner_.options_.gather_for.count() > 0 && gathered_at_ != done_) {
      gathered_at_ = done_;
      runner_.waiter_.wait(runner_.options_.gather_for, stop_);
      return {};
    }
    constexpr std::chrono::milliseconds kLeast{1};
    std::chrono::milliseconds patience = kUntilWoken;
    if (done_ != committed_) {
      VIBES_TRY(commit_if_due());
      patience = std::max(limits::kCommitEvery - since(committed_at_ns_), kLeast);
    }
    tick_if_due();
    if (const auto every = runner_.options_.tick_every; every.count() > 0) {
      patience = std::min(patience, std::max(every - since(ticked_at_ns_), kLeast));
    }
    (void)runner_.log_.signal().wait_beyond(done_, stop_, patience);
    return {};
  }

  GroupRunner& runner_;
  Membership& membership_;
  Handler& handler_;
  const std::stop_token& stop_;
  Offset done_;         // everything before it is handed over
  Offset committed_;    // everything before it is done for good
  Offset settled_at_;   // done_ when the handler was last asked to settle
  Offset gathered_at_;  // done_ when it last waited for events to come together
  std::int64_t committed_at_ns_;
  std::int64_t ticked_at_ns_;
  std::uint64_t until_look_ = kEventsPerLook;  // events
};

GroupRunner::GroupRunner(eventlog::EventLog& log, GroupRegistry& registry,
                         HandlerFactory make_handler, RunnerOptions options)
    : log_(log),
      registry_(registry),
      make_handler_(std::move(make_handler)),
      options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      waiter_(options_.waiter != nullptr ? *options_.waiter : system_waiter()),
      joined_(try_join()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

GroupRunner::~GroupRunner() = default;

std::unique_ptr<Membership> GroupRunner::try_join() {
  auto joined = registry_.join(options_.group, options_.first_start, [this] { interrupt_round(); });
  return joined ? *std::move(joined) : nullptr;
}

std::unique_ptr<Membership> GroupRunner::join(const std::stop_token& stop) {
  Backoff backoff;
  std::unique_ptr<Membership> membership = std::move(joined_);
  while (membership == nullptr && !stop.stop_requested()) {
    waiter_.wait(backoff.next(), stop);
    membership = try_join();
  }
  return membership;
}

std::stop_token GroupRunner::begin_round() {
  const MutexLock lock(round_mutex_);
  round_stop_ = std::stop_source();
  return round_stop_.get_token();
}

void GroupRunner::interrupt_round() {
  const MutexLock lock(round_mutex_);
  round_stop_.request_stop();
}

/// From `start` to a stop, a move or a failure; leaves `start` at the commit.
Result<void> GroupRunner::live(Membership& membership, Offset& start, const std::stop_token& stop) {
  const std::stop_token round_stop = begin_round();
  const std::stop_callback at_stop(stop, [this] { interrupt_round(); });
  if (membership.wanted_move()) {  // it may have come before the round began
    VIBES_TRY_ASSIGN(moved, membership.take_move());
    start = moved;
    return {};
  }
  const std::unique_ptr<Handler> handler = make_handler_(start);
  membership.report({});
  Round round(*this, membership, *handler, start, round_stop);
  auto result = round.run();
  start = round.committed();
  return result;
}

void GroupRunner::run(const std::stop_token& stop) {
  step_back();  // whoever appends comes first, this one catches up
  const std::unique_ptr<Membership> membership = join(stop);
  if (membership == nullptr) {
    return;
  }
  Backoff backoff;
  Offset start = membership->start();
  while (!stop.stop_requested()) {
    std::string problem;
    const Offset before = start;
    try {
      const auto lived = live(*membership, start, stop);
      if (lived) {
        backoff.reset();
        continue;
      }
      problem = lived.error().message();
    } catch (...) {
      problem = what_of(std::current_exception());
    }
    if (start != before) {  // something was done for good
      backoff.reset();
    }
    membership->report({GroupState::failed, 0, std::move(problem)});
    waiter_.wait(backoff.next(), stop);
  }
}

}  // namespace vibes::consumers
