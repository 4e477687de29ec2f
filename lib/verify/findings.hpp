// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "verify/checker.hpp"
#include "verify/history_index.hpp"

namespace vibes::verify {

/// Counts violations and keeps the first few explanations of each check.
class Findings {
 public:
  explicit Findings(Verdict& verdict) : verdict_(verdict) {}

  /// `explain` makes the sentence; it is only called while there is room for it.
  template <class Explain>
  void report(Check check, const Explain& explain) {
    auto& count = verdict_.violations[static_cast<std::size_t>(check)];
    if (++count <= kExamplesPerCheck) {
      verdict_.examples.push_back({check, explain()});
    }
  }
  [[nodiscard]] Tally& tally() { return verdict_.tally; }

 private:
  Verdict& verdict_;
};

/// The checks in three groups: on the log itself, on the firehose's streams, on consumer groups and
/// recovery.
void check_log(const HistoryIndex& index, Findings& findings);
void check_streams(const HistoryIndex& index, const CheckerOptions& options, Findings& findings);
void check_groups(const HistoryIndex& index, Findings& findings);
void check_recoveries(const HistoryIndex& index, Findings& findings);

}  // namespace vibes::verify
