// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "consumers/consumer.hpp"
#include "eventlog/event_log.hpp"
#include "io/file_system.hpp"

namespace vibes::test {

/// What a consumer has to live on in one process that may be killed at any step.
struct Life {
  std::string dir;           // of the consumer's own, kept from life to life
  std::uint64_t number = 0;  // from 1
  io::FileSystem& files;     // every change is a step
  eventlog::EventLog& log;   // every append and every commit is a step
  const Clock& clock;
};

/// One effect that the world has seen: a line without its beginning "LIFE OFFSET ", which say who
/// had it and of which event it is.
struct Effect {
  std::uint64_t life = 0;
  std::uint64_t offset = 0;
  std::string what;
};

/// One consumer of this process, as the daemon makes it.
struct ConsumerRow {
  /// handled: a life is over when every event was handed over, and the stop settles them.
  /// committed: it goes on until they are settled.
  enum class Until : std::uint8_t { handled, committed };

  const char* group;
  Until until = Until::handled;
  std::function<consumers::HandlerFactory(const Life&)> make;
  /// What is left at the end, the same however often it was killed. `log` is read-only.
  std::function<std::vector<std::string>(const std::string& dir, eventlog::EventLog& log)> result;
  /// What was done to the world and may be done again, in the order it was done; may be empty.
  std::function<std::vector<Effect>(const std::string& dir)> effects;
};

/// How many interventions the log has, each of a session of its own, and which one is delivered.
inline constexpr std::uint64_t kInterventions = 6;
inline constexpr std::uint64_t kDeliveredIntervention = 1;
std::string intervened_session(std::uint64_t number);

/// All of them. `events` is how many events the log has that no consumer has appended.
std::vector<ConsumerRow> consumer_rows(std::uint64_t events);

}  // namespace vibes::test
