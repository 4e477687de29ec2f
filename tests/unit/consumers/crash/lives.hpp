// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unit/consumers/crash/consumers.hpp"
#include "unit/consumers/crash/steps.hpp"

namespace vibes::test {

/// What one life of a consumer left behind in the notes.
struct LifeNotes {
  std::optional<std::uint64_t> start;       // the first offset it was to be handed
  std::vector<std::uint64_t> handled;       // in this order, with success
  std::vector<std::uint64_t> committed;     // in this order
  std::optional<std::uint64_t> committing;  // it was killed while it committed this
  std::string killed;                       // at which step; empty: it lived to its end
};

/// The log of all lives: `events` as one session after another might have written them, far enough
/// apart in time that none is thought to repeat another. Everything is the same at every call.
void make_log(const std::string& dir, const std::vector<std::string>& events);

/// How a process ended. failed: the consumer, or the test itself, broke an assertion.
enum class LifeEnd : std::uint8_t { over, killed, failed };

/// One process in which the consumer lives under a GroupRunner, over the log in `dir`, until it has
/// done all `events` or dies at `die_at`. Returns once it and everything it had started are
/// gone. Nobody else in this process may have children or threads.
LifeEnd live(const ConsumerRow& row, const std::string& dir, std::uint64_t events,
             std::uint64_t number, const DieAt& die_at);

std::vector<LifeNotes> read_notes(const std::string& dir);

/// What the row's consumer left in `dir`, without order and repetitions where these may be.
std::vector<std::string> result_of(const ConsumerRow& row, const std::string& dir);

}  // namespace vibes::test
