// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/history.hpp"

namespace vibes::verify {

/// What the log promises, one by one; docs/verification.md explains each.
enum class Check : std::uint8_t {
  images_agree,      // replay, offline read and replay after a restart show the same log
  lost,              // what was acknowledged is in the log
  phantom,           // what is in the log was sent
  aborted_read,      // what was refused is not in the log
  duplicate,         // an event is in the log once
  offset_agreement,  // an offset means the same event to everybody
  dense,             // offsets have no holes
  real_time,         // what was acknowledged before another was sent comes before it
  producer_order,    // a producer's events keep their order
  lossless,          // payloads come back byte for byte
  idempotency,       // one event_id has one offset, however often it is sent
  stream_order,      // a connection starts where asked and skips, repeats and reorders nothing
  atomic_batch,      // a batch is in the log as one piece, or not at all
  resumable,         // reconnecting with a cursor continues exactly where it was
  unhappened,        // what anybody has seen stays
  progress,          // positions move forward and never past what was not delivered
  completeness,      // every live client gets everything, soon after the faults end
  resume_point,      // a group continues between its last durable and its last attempted commit
  processed,         // a group gets everything, and again only what it had not committed
  commit_in_log,     // commits do not pass the end of the log
  recovery,          // recovery keeps what it cuts and cuts nothing that was acknowledged
};
inline constexpr std::size_t kChecks = 21;
/// As in reports: "offset agreement".
std::string_view to_string(Check check);

struct Violation {
  Check check = Check::lost;
  std::string explanation;  // a sentence naming producers, clients and offsets
};

/// What a run amounted to.
struct Tally {
  std::uint64_t attempted = 0;
  std::uint64_t acked = 0;
  std::uint64_t refused = 0;
  std::uint64_t indeterminate = 0;
  std::uint64_t recovered = 0;  // indeterminate ones that are in the log
  std::uint64_t read = 0;       // events in the log
  std::uint64_t delivered = 0;
  std::uint64_t lost_prefix = 0;  // before a producer's first surviving event
  std::uint64_t lost_middle = 0;
  std::uint64_t lost_postfix = 0;  // after its last
  std::uint64_t faults = 0;
  std::uint64_t restart_ms_max = 0;
  std::int64_t ack_ns_p50 = 0;
  std::int64_t ack_ns_p99 = 0;
};

struct Verdict {
  Tally tally;
  std::array<std::uint64_t, kChecks> violations{};  // how often each check failed
  std::vector<Violation> examples;                  // at most kExamplesPerCheck of each

  [[nodiscard]] bool valid() const;
  [[nodiscard]] std::uint64_t count(Check check) const {
    return violations[static_cast<std::size_t>(check)];
  }
};
inline constexpr std::size_t kExamplesPerCheck = 5;

struct CheckerOptions {
  /// How long after the last fault a live client may take to reach the end of the log.
  std::chrono::seconds complete_within{30};
};

/// Decides whether a run kept every promise. Because the server names the offset of each append,
/// the order is a witness and no search is needed: O(n log n) in the records. The result depends on
/// nothing but the history.
Verdict check(const History& history, const CheckerOptions& options = {});

}  // namespace vibes::verify
