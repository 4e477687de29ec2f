// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::consumers {

/// What became of an event in a handler's hands.
struct Outcome {
  enum class Kind : std::uint8_t { ok, retry, reject };
  Kind kind = Kind::ok;
  std::string reason;  // for a person: why not ok

  static Outcome ok() { return {}; }
  /// It may work later.
  static Outcome retry(std::string reason) { return {Kind::retry, std::move(reason)}; }
  /// It never will: the event goes to the dead letters at once.
  static Outcome reject(std::string reason) { return {Kind::reject, std::move(reason)}; }
};

/// What a consumer group inside this process does with each event. Called by one thread, in the
/// order of the log, at least once per event: handlers are idempotent on the event_id. An exception
/// of handle() is a retry, of the others a failure of the consumer, which starts again from its
/// commit.
class Handler {
 public:
  /// `last`: the consumer stops. What is not settled now is handed over again at the next start.
  enum class Occasion : std::uint8_t { routine, last };

  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// `attempt` counts from 1.
  virtual Outcome handle(const event::EventView& event, std::uint64_t attempt) = 0;

  /// Called before a commit, with the offset up to which every event was handed over. Makes durable
  /// what the handler keeps and returns up to where that is so: `handled`, or less where it is
  /// still at work on earlier events. Never less than it returned before. Errors: the consumer
  /// fails and starts again from its commit.
  virtual Result<Offset> settle(Offset handled, Occasion /*occasion*/) { return handled; }

  /// Called about every RunnerOptions::tick_every, between events and while there are none.
  virtual void tick() {}
};

/// Makes the handler anew at every start of the consumer; `start` is the first offset it will be
/// handed. An exception is a start that failed, to be tried again.
using HandlerFactory = std::function<std::unique_ptr<Handler>(Offset start)>;

}  // namespace vibes::consumers
