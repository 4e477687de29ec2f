// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "verify/reporters.hpp"
#include "verify/text.hpp"

namespace vibes::verify {
namespace {

std::string seconds(std::chrono::milliseconds took) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(took).count());
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", xml_escaped(one_line(name)),
                     xml_escaped(one_line(value)));
}

std::string testcase(const ScenarioResult& scenario, const CheckResult& check) {
  std::string text = fmt::format(
      "    <testcase classname=\"vibes-verify.{}\" name=\"{}\" time=\"{}\"",
      xml_escaped(one_line(scenario.name)), xml_escaped(one_line(check.name)), seconds(check.took));
  const std::string reason = xml_escaped(one_line(check.reason));
  switch (check.status) {
    case Status::passed:
      return text + "/>\n";
    case Status::skipped:
      return text + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", reason);
    case Status::failed:
      break;
  }
  return text + fmt::format(
                    ">\n      <failure message=\"{}\" type=\"check\">{}\nexpected: {}\nseen: {}\n"
                    "</failure>\n    </testcase>\n",
                    reason, xml_escaped(check.reason), xml_escaped(check.expected),
                    xml_escaped(check.seen));
}

/// The JUnit XML that GitHub Actions, GitLab and Jenkins read: a suite per scenario, a case per
/// check.
class JunitReporter final : public Reporter {
 public:
  std::string begin(const RunInfo& run) override {
    run_ = run;
    return {};
  }

  std::string scenario(const ScenarioResult& result) override {
    suites_ += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" "
        "time=\"{}\">\n    <properties>\n",
        xml_escaped(one_line(result.name)), result.checks.size(), result.count(Status::failed),
        result.count(Status::skipped), seconds(result.took));
    suites_ += property("summary", result.summary) + property("seed", std::to_string(run_.seed)) +
               property("target", run_.target) + property("version", run_.version);
    for (const auto& [name, value] : result.facts) {
      suites_ += property(name, value);
    }
    suites_ += "    </properties>\n";
    for (const CheckResult& check : result.checks) {
      suites_ += testcase(result, check);
    }
    if (!result.diagnostics.empty()) {
      suites_ += fmt::format("    <system-err>{}</system-err>\n", xml_escaped(result.diagnostics));
    }
    suites_ += "  </testsuite>\n";
    tests_ += result.checks.size();
    failures_ += result.count(Status::failed);
    skipped_ += result.count(Status::skipped);
    took_ += result.took;
    return {};
  }

  std::string bail_out(std::string_view why) override {
    ++tests_;
    ++errors_;
    suites_ += fmt::format(
        "  <testsuite name=\"vibes-verify\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" "
        "time=\"0\">\n    <testcase classname=\"vibes-verify\" name=\"start\" time=\"0\">\n      "
        "<error message=\"{}\"/>\n    </testcase>\n  </testsuite>\n",
        xml_escaped(one_line(why)));
    return {};
  }

  std::string end() override {
    return fmt::format(
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vibes-verify\" "
               "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">\n",
               tests_, failures_, errors_, skipped_, seconds(took_)) +
           suites_ + "</testsuites>\n";
  }

 private:
  RunInfo run_;
  std::string suites_;
  std::size_t tests_ = 0;
  std::size_t failures_ = 0;
  std::size_t errors_ = 0;
  std::size_t skipped_ = 0;
  std::chrono::milliseconds took_{0};
};

}  // namespace

std::unique_ptr<Reporter> make_junit_reporter() { return std::make_unique<JunitReporter>(); }

}  // namespace vibes::verify
