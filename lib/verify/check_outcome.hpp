// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace vibes::verify {

/// What a check found: it passed, or what went wrong. Made by passed(), mismatch(), or from a
/// failed Result, so that VIBES_TRY works inside a check.
class [[nodiscard]] CheckOutcome {
 public:
  struct Failure {
    std::string reason;
    std::string expected;
    std::string seen;
  };

  CheckOutcome(Unexpected failed)  // NOLINT: as Result
      : failure_(Failure{failed.error.message(), "", ""}) {}

  static CheckOutcome passed() { return CheckOutcome(); }
  static CheckOutcome mismatch(std::string reason, std::string expected, std::string seen) {
    CheckOutcome outcome;
    outcome.failure_ = Failure{std::move(reason), std::move(expected), std::move(seen)};
    return outcome;
  }
  /// It could not be checked here: that is no failure, but is reported by name.
  static CheckOutcome skipped(std::string reason) {
    CheckOutcome outcome;
    outcome.skipped_ = std::move(reason);
    return outcome;
  }

  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] const std::optional<std::string>& skipped() const { return skipped_; }

 private:
  CheckOutcome() = default;
  std::optional<Failure> failure_;
  std::optional<std::string> skipped_;
};

}  // namespace vibes::verify
