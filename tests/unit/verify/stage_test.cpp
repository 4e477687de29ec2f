// SPDX-License-Identifier: MIT
#include "verify/stage.hpp"

#include "support/catch.hpp"
#include "verify/errc.hpp"
#include "verify/scenario.hpp"

using namespace vibes;
using namespace vibes::verify;

TEST_CASE("stage: what follows a failed step is skipped by name", "[verify][stage]") {
  const RunOptions options;
  Stage stage(options, "s", {"one", "two", "three", "four"});
  CHECK(stage.step("one", [](client::Deadline) { return CheckOutcome::passed(); }));
  stage.claim("two", [](client::Deadline) { return CheckOutcome::mismatch("why", "1", "2"); });
  CHECK_FALSE(stage.step(
      "three", [](client::Deadline) -> CheckOutcome { return fail(Errc::timeout, "the moon"); }));
  bool ran = false;
  stage.claim("four", [&](client::Deadline) {
    ran = true;
    return CheckOutcome::passed();
  });
  const ScenarioResult result = stage.finish("summary");
  CHECK_FALSE(ran);
  REQUIRE(result.checks.size() == 4);
  CHECK(result.checks[0].status == Status::passed);
  CHECK(result.checks[1].expected == "1");
  CHECK(result.checks[1].seen == "2");
  CHECK(result.checks[2].reason == "the moon: nothing came in time");
  CHECK(result.checks[3].status == Status::skipped);
  CHECK(result.checks[3].reason == "'three' failed before it");
  CHECK(result.status() == Status::failed);
  CHECK(result.diagnostics.find("seed 0") != std::string::npos);
}

TEST_CASE("scenario: every one is found by its name, others are not", "[verify][scenario]") {
  CHECK(select_scenarios({})->size() == scenarios().size());
  for (const Scenario& scenario : scenarios()) {
    CHECK(select_scenarios({scenario.name})->front() == &scenario);
    CHECK_FALSE(scenario.checks.empty());
  }
  const auto unknown = select_scenarios({"restart", "chaos"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Errc::unknown_scenario);
  CHECK(unknown.error().context == "chaos");
}

TEST_CASE("scenario: what cannot be played is skipped, with the reason", "[verify][scenario]") {
  RunOptions options;
  SECTION("a server that is not ours") { options.running = client::Target{}; }
  SECTION("a log in memory") { options.log = "memory:"; }
  const ScenarioResult result = play(*select_scenarios({"restart"})->front(), options);
  CHECK(result.status() == Status::skipped);
  CHECK(result.checks.front().reason.find("restart") != std::string::npos);
}

TEST_CASE("server process: a program that is no server is reported with what it said",
          "[verify][server]") {
  const auto directory = PrivateDirectory::make();
  REQUIRE(directory);
  ServerOptions options;
  options.root = directory->path();
  options.program = "/bin/false";
  const auto failed = ServerProcess::start(options, client::within(std::chrono::seconds(20)));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::server_failed);
  CHECK(failed.error().context.find("exit code 1") != std::string::npos);
}
