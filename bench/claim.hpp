// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vibes::bench {

/// What we promise of a ratio: ours to somebody else's, both measured in the same run, side by
/// side, several times over. docs/performance.md has the promises.
struct Claim {
  enum class Wanted : std::uint8_t { at_least, at_most };

  int line = 0;      // of the table, 1 to 9
  std::string what;  // "1,000 in flight from one connection"
  std::string unit;  // of both sides
  std::string peer;  // "Redis, appendfsync always"; what else it is set beside: "the raw reference"
  /// One value per run each. Without `theirs` there is nobody to be set beside, and `bound` is of
  /// ours itself, in its unit.
  std::vector<double> ours;
  std::vector<double> theirs;
  Wanted wanted = Wanted::at_least;
  double bound = 0;
  /// One of several on the same thing, of which one is to hold.
  bool alternative = false;
  /// Why nothing was measured. Empty: it was.
  std::string left_out = {};
};

/// What the runs say of a claim. The ratio of each run is of its own two sides; where there is
/// nobody to be set beside it is our value.
struct Verdict {
  double ours = 0;  // medians
  double theirs = 0;
  double ratio = 0;
  double least = 0;  // of the ratios
  double greatest = 0;
  bool holds = false;  // by the median ratio
};
Verdict judge(const Claim& claim);

/// Prints the claims as a table and writes them, where `json_file` is not empty, as
/// {"benchmark":…,"claims":[{"line","what","unit","peer","wanted","bound","alternative","ours":[…],
/// "theirs":[…],"ratio","least","greatest","holds"} or {"line","what","peer","left_out"}]}. Returns
/// main's status: a claim that does not hold is a result, not a failure.
int report_claims(std::string_view benchmark, const std::vector<Claim>& claims,
                  const std::string& json_file);

}  // namespace vibes::bench
