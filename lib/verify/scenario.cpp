// SPDX-License-Identifier: MIT
#include "verify/scenario.hpp"

#include <algorithm>
#include <array>

#include "verify/errc.hpp"
#include "verify/scenarios/scenarios.hpp"

namespace vibes::verify {

namespace {

/// Why the scenario cannot be played; empty if it can.
std::string obstacle_to(const Scenario& scenario, const RunOptions& options) {
  if (scenario.needs == Needs::any_server) {
    return {};
  }
  if (options.running) {
    return "it restarts the server, and the one at --url is not ours";
  }
  return options.log.starts_with("memory:") ? "a log in memory does not survive a restart" : "";
}

}  // namespace

std::span<const Scenario> scenarios() {
  static const std::array<Scenario, 11> kAll = {
      create_session_scenario(), append_order_scenario(), filters_scenario(),
      bad_input_scenario(),      resume_scenario(),       consumer_groups_scenario(),
      dead_letter_scenario(),    slow_client_scenario(),  restart_scenario(),
      notifications_scenario(),  assessment_scenario()};
  return kAll;
}

Result<std::vector<const Scenario*>> select_scenarios(const std::vector<std::string>& names) {
  std::vector<const Scenario*> selected;
  const auto all = scenarios();
  if (names.empty()) {
    for (const Scenario& scenario : all) {
      selected.push_back(&scenario);
    }
  }
  for (const std::string& name : names) {
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const Scenario& scenario) { return scenario.name == name; });
    if (found == all.end()) {
      return fail(Errc::unknown_scenario, name);
    }
    selected.push_back(&*found);
  }
  return selected;
}

ScenarioResult play(const Scenario& scenario, const RunOptions& options) {
  Stage stage(options, scenario.name, scenario.checks);
  const std::string obstacle = obstacle_to(scenario, options);
  if (!obstacle.empty()) {
    for (const std::string& check : scenario.checks) {
      stage.claim(check, [&](client::Deadline) { return CheckOutcome::skipped(obstacle); });
    }
  } else {
    scenario.play(stage);
  }
  return stage.finish(scenario.summary);
}

}  // namespace vibes::verify
