// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

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

/// What a consumer group inside this process does with each event. Called by one thread at a time,
/// in the order of the log, at least once per event: handlers are idempotent on the event_id. An
/// exception is a retry.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// `attempt` counts from 1.
  virtual Outcome handle(const event::EventView& event, std::uint64_t attempt) = 0;
};

/// Makes the handler anew at every start of the consumer.
using HandlerFactory = std::function<std::unique_ptr<Handler>()>;

}  // namespace vibes::consumers
