// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vibes::verify {

enum class Status : std::uint8_t { passed, failed, skipped };
std::string_view to_string(Status status);

/// One named check of a scenario.
struct CheckResult {
  std::string name;
  Status status = Status::passed;
  std::string reason;    // why it was skipped, or what went wrong in a sentence
  std::string expected;  // what should have been seen; may be empty
  std::string seen;      // and what was; may be empty
  std::chrono::milliseconds took{0};
};

struct ScenarioResult {
  std::string name;
  std::string summary;
  std::vector<CheckResult> checks;
  std::vector<std::pair<std::string, std::string>>
      facts;                // figures worth keeping: "acked" "100000"
  std::string diagnostics;  // only where something failed: what the server said last, what was kept
  std::chrono::milliseconds took{0};

  /// Failed if any check failed; skipped if no check ran.
  [[nodiscard]] Status status() const;
  [[nodiscard]] std::size_t count(Status status) const;
};

/// What all scenarios of a run have in common.
struct RunInfo {
  std::string version;
  std::string target;  // "its own servers" or a URL
  std::uint64_t seed = 0;
  std::size_t scenarios = 0;
};

enum class Format : std::uint8_t { human, tap, junit, json };
std::optional<Format> parse_format(std::string_view name);
enum class Colour : std::uint8_t { no, yes };

/// Turns results into text, piece by piece so that a person sees progress: whoever calls it writes
/// every returned piece at once. Names, reasons and diagnostics may hold any bytes; the text is
/// always well formed. One thread.
class Reporter {
 public:
  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  virtual ~Reporter() = default;

  virtual std::string begin(const RunInfo& run) = 0;
  virtual std::string scenario(const ScenarioResult& result) = 0;
  /// The run cannot go on: `why` is the last thing said before end().
  virtual std::string bail_out(std::string_view why) = 0;
  virtual std::string end() = 0;
};

std::unique_ptr<Reporter> make_reporter(Format format, Colour colour);

}  // namespace vibes::verify
