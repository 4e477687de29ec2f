// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/report.hpp"
#include "verify/stage.hpp"

namespace vibes::verify {

/// What a scenario needs of its server.
enum class Needs : std::uint8_t {
  any_server,   // also one that runs already and that others use
  durable_log,  // one that can be stopped, killed and started again, and whose log survives that
};

/// A story with a server in it, told as a list of named checks.
struct Scenario {
  std::string name;
  std::string summary;
  Needs needs = Needs::any_server;
  std::vector<std::string> checks;  // in the order in which they are made
  void (*play)(Stage&) = nullptr;
};

/// All of them, in the order in which they are run.
std::span<const Scenario> scenarios();
/// Those named, in the order given; all if none is. Errors: Errc::unknown_scenario.
Result<std::vector<const Scenario*>> select_scenarios(const std::vector<std::string>& names);

/// Plays one. Never fails as such: what goes wrong is in the result.
ScenarioResult play(const Scenario& scenario, const RunOptions& options);

}  // namespace vibes::verify
