// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "verify/reporters.hpp"
#include "verify/text.hpp"

namespace vibes::verify {
namespace {

/// A description of TAP 14: '#' would begin a directive, '\' an escape.
std::string tap_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : one_line(text)) {
    if (c == '#' || c == '\\') {
      escaped += '\\';
    }
    escaped += c;
  }
  return escaped;
}

/// A double-quoted YAML scalar; every JSON string is one.
std::string yaml_string(std::string_view text) { return nlohmann::json(printable(text)).dump(); }

std::string test_point(Status status, std::size_t number, std::string_view name,
                       std::string_view skip_reason) {
  std::string line = fmt::format("{} {} - {}", status == Status::failed ? "not ok" : "ok", number,
                                 tap_escaped(name));
  if (status == Status::skipped) {
    line += " # SKIP " + one_line(skip_reason);
  }
  return line + "\n";
}

std::string why(const CheckResult& check) {
  std::string block = "  ---\n";
  block += fmt::format("  message: {}\n", yaml_string(check.reason));
  if (!check.expected.empty()) {
    block += fmt::format("  expected: {}\n", yaml_string(check.expected));
  }
  if (!check.seen.empty()) {
    block += fmt::format("  seen: {}\n", yaml_string(check.seen));
  }
  return block + fmt::format("  duration_ms: {}\n  ...\n", check.took.count());
}

/// TAP version 14, one subtest per scenario:
/// https://testanything.org/tap-version-14-specification.html
class TapReporter final : public Reporter {
 public:
  std::string begin(const RunInfo& run) override {
    return fmt::format("TAP version 14\n1..{}\n# vibes-verify {}: {}, seed {}\n", run.scenarios,
                       run.version, one_line(run.target), run.seed);
  }

  std::string scenario(const ScenarioResult& result) override {
    std::string inner;
    for (std::size_t i = 0; i < result.checks.size(); ++i) {
      const CheckResult& check = result.checks[i];
      inner += test_point(check.status, i + 1, check.name, check.reason);
      if (check.status == Status::failed) {
        inner += why(check);
      }
    }
    inner += fmt::format("1..{}\n", result.checks.size());
    for (const auto& [name, value] : result.facts) {
      inner += fmt::format("# {}: {}\n", one_line(name), one_line(value));
    }
    inner += indented(printable(result.diagnostics), "# ");
    const std::string reason = result.checks.empty() ? "no checks" : result.checks.front().reason;
    return fmt::format("# Subtest: {}\n", one_line(result.name)) + indented(inner, "    ") +
           test_point(result.status(), ++number_, result.name, reason);
  }

  std::string bail_out(std::string_view why_not) override {
    return fmt::format("Bail out! {}\n", one_line(why_not));
  }

  std::string end() override { return {}; }

 private:
  std::size_t number_ = 0;
};

}  // namespace

std::unique_ptr<Reporter> make_tap_reporter() { return std::make_unique<TapReporter>(); }

}  // namespace vibes::verify
