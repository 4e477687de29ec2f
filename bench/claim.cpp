// SPDX-License-Identifier: MIT
#include "claim.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "report.hpp"

namespace vibes::bench {
namespace {

double median(std::vector<double> values) { return percentile(values, 50); }

std::string_view sign(Claim::Wanted wanted) {
  return wanted == Claim::Wanted::at_least ? ">=" : "<=";
}

nlohmann::json to_json(const Claim& claim) {
  nlohmann::json row = {{"line", claim.line}, {"what", claim.what}, {"peer", claim.peer}};
  if (!claim.left_out.empty()) {
    row["left_out"] = claim.left_out;
    return row;
  }
  const Verdict verdict = judge(claim);
  row.update({{"unit", claim.unit},
              {"wanted", sign(claim.wanted)},
              {"bound", claim.bound},
              {"alternative", claim.alternative},
              {"ours", claim.ours},
              {"theirs", claim.theirs},
              {"ratio", verdict.ratio},
              {"least", verdict.least},
              {"greatest", verdict.greatest},
              {"holds", verdict.holds}});
  return row;
}

void print(const Claim& claim) {
  if (!claim.left_out.empty()) {
    std::printf("%d  %-46s left out: %s\n", claim.line, claim.what.c_str(), claim.left_out.c_str());
    return;
  }
  const Verdict verdict = judge(claim);
  std::printf("%d  %-46s %12.1f %-8s", claim.line, claim.what.c_str(), verdict.ours,
              claim.unit.c_str());
  if (!claim.theirs.empty()) {
    std::printf(" %12.1f %-28s", verdict.theirs, claim.peer.c_str());
  }
  std::printf(" %8.2f (%.2f to %.2f) wanted %s %.2f: %s\n", verdict.ratio, verdict.least,
              verdict.greatest, sign(claim.wanted).data(), claim.bound,
              verdict.holds ? "holds" : "short");
}

}  // namespace

Verdict judge(const Claim& claim) {
  std::vector<double> ratios = claim.ours;
  for (std::size_t i = 0; i < claim.theirs.size(); ++i) {
    ratios.at(i) /= claim.theirs[i];
  }
  Verdict verdict;
  verdict.ours = median(claim.ours);
  verdict.theirs = claim.theirs.empty() ? 0 : median(claim.theirs);
  verdict.ratio = median(ratios);
  verdict.least = *std::ranges::min_element(ratios);
  verdict.greatest = *std::ranges::max_element(ratios);
  verdict.holds = claim.wanted == Claim::Wanted::at_least ? verdict.ratio >= claim.bound
                                                          : verdict.ratio <= claim.bound;
  return verdict;
}

int report_claims(std::string_view benchmark, const std::vector<Claim>& claims,
                  const std::string& json_file) {
  std::printf("%.*s\n", static_cast<int>(benchmark.size()), benchmark.data());
  nlohmann::json rows = nlohmann::json::array();
  for (const Claim& claim : claims) {
    print(claim);
    rows.push_back(to_json(claim));
  }
  if (json_file.empty()) {
    return 0;
  }
  std::ofstream file(json_file);
  file << nlohmann::json{{"benchmark", benchmark}, {"claims", rows}}.dump(2) << "\n";
  if (!file.flush().good()) {
    std::fprintf(stderr, "%s: cannot write it\n", json_file.c_str());
    return 1;
  }
  return 0;
}

}  // namespace vibes::bench
