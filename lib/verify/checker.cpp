// SPDX-License-Identifier: MIT
#include "verify/checker.hpp"

#include <algorithm>

#include "verify/findings.hpp"

namespace vibes::verify {
namespace {

void tally_acks(const HistoryIndex& index, Tally& tally) {
  std::vector<std::int64_t> latencies;
  for (const Attempt& attempt : index.attempts()) {
    tally.attempted += 1;
    if (attempt.acked) {
      tally.acked += 1;
      if (attempt.one_connection) {
        latencies.push_back(attempt.acked_at - attempt.first->at);
      }
    } else if (attempt.certainly_absent()) {
      tally.refused += 1;
    } else {
      tally.indeterminate += 1;
      tally.recovered += index.find(attempt.first->event_id) != nullptr ? 1U : 0U;
    }
  }
  std::sort(latencies.begin(), latencies.end());
  if (!latencies.empty()) {
    tally.ack_ns_p50 = latencies[latencies.size() / 2];
    tally.ack_ns_p99 = latencies[latencies.size() * 99 / 100];
  }
}

void tally_run(const HistoryIndex& index, Tally& tally) {
  const History& history = index.history();
  tally.read = index.log().size();
  tally.delivered = history.deliveries.size();
  tally.faults = static_cast<std::uint64_t>(
      std::count_if(history.faults.begin(), history.faults.end(),
                    [](const Fault& fault) { return fault.phase == FaultPhase::start; }));
  for (const Recovery& recovery : history.recoveries) {
    tally.restart_ms_max = std::max(tally.restart_ms_max, recovery.took_ms);
  }
}

}  // namespace

std::string_view to_string(Check check) {
  static constexpr std::array<std::string_view, kChecks> kNames = {
      "images agree",   "nothing lost",     "no phantoms",     "no aborted reads",
      "no duplicates",  "offset agreement", "dense offsets",   "real-time order",
      "producer order", "lossless",         "idempotency",     "stream order",
      "atomic batches", "resumable",        "no un-happening", "honest progress",
      "completeness",   "resume point",     "processed once",  "commits in the log",
      "honest recovery"};
  return kNames[static_cast<std::size_t>(check)];
}

bool Verdict::valid() const {
  return std::all_of(violations.begin(), violations.end(),
                     [](std::uint64_t count) { return count == 0; });
}

Verdict check(const History& history, const CheckerOptions& options) {
  Verdict verdict;
  Findings findings(verdict);
  const HistoryIndex index(history);
  tally_acks(index, verdict.tally);
  tally_run(index, verdict.tally);
  check_log(index, findings);
  check_streams(index, options, findings);
  check_groups(index, findings);
  check_recoveries(index, findings);
  return verdict;
}

}  // namespace vibes::verify
