// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vibes::bench {

/// What a log for replaying is made of.
struct ReplayLog {
  std::uint64_t events = 0;
  std::size_t sessions = 0;  // one event of each in turn, so that no cache of fewer helps
};

/// Makes a file log in `directory`: every session lives one of the recorded sessions of
/// tests/data/agent-day.ndjson again and again, each life with tools of its own. Ten milliseconds
/// lie between two events. The same `what` gives the same events. Ends the program with a message
/// where that fails.
void make_replay_log(const std::string& directory, const ReplayLog& what);

}  // namespace vibes::bench
