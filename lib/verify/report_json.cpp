// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "verify/reporters.hpp"
#include "verify/text.hpp"

namespace vibes::verify {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const CheckResult& check) {
  ordered_json json = {{"name", printable(check.name)},
                       {"status", to_string(check.status)},
                       {"ms", check.took.count()}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      json[name] = printable(value);
    }
  };
  add("reason", check.reason);
  add("expected", check.expected);
  add("seen", check.seen);
  return json;
}

class JsonReporter final : public Reporter {
 public:
  std::string begin(const RunInfo& run) override {
    report_ = {{"version", printable(run.version)},
               {"target", printable(run.target)},
               {"seed", run.seed},
               {"valid", true},
               {"passed", 0},
               {"failed", 0},
               {"skipped", 0},
               {"scenarios", ordered_json::array()}};
    return {};
  }

  std::string scenario(const ScenarioResult& result) override {
    ordered_json facts = ordered_json::object();
    for (const auto& [name, value] : result.facts) {
      facts[printable(name)] = printable(value);
    }
    ordered_json checks = ordered_json::array();
    for (const CheckResult& check : result.checks) {
      checks.push_back(to_json(check));
      auto& count = report_[std::string(to_string(check.status))];
      count = count.get<std::uint64_t>() + 1;
    }
    ordered_json scenario = {{"name", printable(result.name)},
                             {"summary", printable(result.summary)},
                             {"status", to_string(result.status())},
                             {"ms", result.took.count()},
                             {"facts", facts},
                             {"checks", checks}};
    if (!result.diagnostics.empty()) {
      scenario["diagnostics"] = printable(result.diagnostics);
    }
    if (result.status() == Status::failed) {
      report_["valid"] = false;
    }
    report_["scenarios"].push_back(std::move(scenario));
    return {};
  }

  std::string bail_out(std::string_view why) override {
    report_["valid"] = false;
    report_["error"] = printable(why);
    return {};
  }

  std::string end() override { return report_.dump(2) + "\n"; }

 private:
  ordered_json report_;
};

}  // namespace

std::unique_ptr<Reporter> make_json_reporter() { return std::make_unique<JsonReporter>(); }

}  // namespace vibes::verify
