// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>
#include <memory>

#include <fmt/format.h>

#include "verify/errc.hpp"
#include "verify/http_sink.hpp"
#include "verify/program_run.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"

namespace vibes::verify {
namespace {

using client::Deadline;
using nlohmann::json;

constexpr std::uint64_t kBehind = 100;  // events
constexpr std::chrono::seconds kStartWithin{30};

/// A session that goes wrong, told by its agent's hooks: what the assessment makes of it, and who
/// hears of that.
class Assessment {
 public:
  explicit Assessment(Stage& stage) : stage_(stage), session_(stage.tag()) {}

  void play() {
    const bool intervened = stage_.step("a server that assesses and intervenes starts",
                                        [&](Deadline d) { return start(d); }) &&
                            stage_.step("a session goes wrong, as 'vibesctl hook' is told",
                                        [&](Deadline d) { return go_wrong(d); }) &&
                            stage_.step("an assessment says that the breaker is open",
                                        [&](Deadline d) { return find_open_breaker(d); }) &&
                            stage_.step("the log has one intervention",
                                        [&](Deadline d) { return find_intervention(d); });
    stage_.claim("a notification of it arrives", [&](Deadline d) { return be_notified(d); });
    const bool delivered =
        intervened &&
        stage_.step("after a kill -9 the next prompt's hook gives it to the agent",
                    [&](Deadline d) { return deliver(d); }) &&
        stage_.step("its delivery is in the log once",
                    [&](Deadline d) { return find_delivery(d); });
    stage_.claim("no later hook gives it again, nor after another kill -9",
                 [&](Deadline d) { return stay_silent(d); });
    stage_.claim("the transcript shows it and its delivery",
                 [&](Deadline d) { return look_at_transcript(d); });
    if (delivered && stage_.step("the session's end brings a heavy verdict",
                                 [&](Deadline d) { return end(d); })) {
      stage_.claim("the session's curve, checkpoints, intervention and verdict are told",
                   [&](Deadline d) { return look_at_session(d); });
      stage_.claim("read again from the beginning it appends nothing twice",
                   [&](Deadline d) { return replay(d); });
    }
  }

 private:
  CheckOutcome start(Deadline /*deadline*/) {
    VIBES_TRY_ASSIGN(sink, HttpSink::start());
    VIBES_TRY_ASSIGN(program, find_program("vibesctl", stage_.options().program));
    sink_ = std::move(sink);
    vibesctl_ = std::move(program);
    VIBES_TRY(stage_.open({"--assessment", "on", "--interventions", "on", "--notify-webhook",
                           sink_->url() + "/hook"}));
    return CheckOutcome::passed();
  }

  /// What vibesctl prints. Errors: also where it fails or complains.
  Result<std::string> vibesctl(std::vector<std::string> arguments, const std::string& input,
                               Deadline deadline) {
    const std::string verb = fmt::format("vibesctl {}", fmt::join(arguments, " "));
    VIBES_TRY_ASSIGN(output, run_program({.program = vibesctl_,
                                          .arguments = std::move(arguments),
                                          .environment = stage_.own_server().environment(),
                                          .input = input},
                                         deadline));
    if (output.status != 0 || !output.err.empty()) {
      return fail(Errc::unexpected_answer,
                  fmt::format("{}: status {}, {}", verb, output.status, excerpt(output.err)));
    }
    return output.out;
  }

  /// With time enough: how long it may take is not what is shown here.
  Result<std::string> hook(json payload, Deadline deadline) {
    payload["session_id"] = session_;
    return vibesctl({"hook", "--timeout=30"}, payload.dump(), deadline);
  }
  Result<std::string> prompt(const std::string& text, Deadline deadline) {
    return hook({{"hook_event_name", "UserPromptSubmit"}, {"prompt", text}}, deadline);
  }
  Result<std::string> failed_tool(int number, Deadline deadline) {
    return hook({{"hook_event_name", "PostToolUse"},
                 {"tool_name", "Bash"},
                 {"tool_use_id", fmt::format("tool-{}", number)},
                 {"tool_input", {{"command", "make"}}},
                 {"tool_response", {{"is_error", true}, {"stdout", "no rule"}}}},
                deadline);
  }

  CheckOutcome go_wrong(Deadline deadline) {
    VIBES_TRY_ASSIGN(out,
                     hook({{"hook_event_name", "SessionStart"}, {"source", "startup"}}, deadline));
    VIBES_TRY_ASSIGN(first, prompt("Build the parser.", deadline));
    VIBES_TRY_ASSIGN(correction, prompt("No, that's wrong: the other one.", deadline));
    out += first + correction;
    for (int i = 1; i <= 3; ++i) {
      VIBES_TRY_ASSIGN(tool, failed_tool(i, deadline));
      out += tool;
    }
    return out.empty() ? CheckOutcome::passed()
                       : CheckOutcome::mismatch("a hook had something to say before it was time",
                                                "nothing", excerpt(out));
  }

  /// The session's events of these types, as the log has them.
  Result<std::vector<json>> logged(const std::string& types, Deadline deadline) {
    VIBES_TRY_ASSIGN(
        page, get_json(stage_.target(),
                       fmt::format("/api/events?from=beginning&limit=1000&types={}&session={}",
                                   types, session_),
                       deadline));
    return page.value("events", std::vector<json>());
  }

  /// Waits for results of one tier of which one is as it should be.
  CheckOutcome find_assessment(const std::string& tier, const std::string& what,
                               const std::function<bool(const json&)>& fits, Deadline deadline) {
    return until_passed(deadline, [&]() -> CheckOutcome {
      VIBES_TRY_ASSIGN(entries, logged("assessment", deadline));
      std::string seen;
      for (const json& entry : entries) {
        const json& event = entry.at("event");
        if (event.value("tier", "") == tier) {
          if (fits(event)) {
            return CheckOutcome::passed();
          }
          seen = event.dump();
        }
      }
      return CheckOutcome::mismatch("no such event of the tier " + tier, what, excerpt(seen));
    });
  }

  CheckOutcome find_open_breaker(Deadline deadline) {
    return find_assessment(
        "lightweight", "one with an open breaker",
        [](const json& event) { return event.value("/breaker/state"_json_pointer, "") == "open"; },
        deadline);
  }

  CheckOutcome find_intervention(Deadline deadline) {
    return until_passed(deadline, [&]() -> CheckOutcome {
      VIBES_TRY_ASSIGN(entries, logged("intervention", deadline));
      if (entries.size() != 1) {
        return CheckOutcome::mismatch("GET /api/events?types=intervention", "one",
                                      std::to_string(entries.size()));
      }
      intervention_ = entries.front();
      const json& event = intervention_.at("event");
      return event.value("kind", "") == "approach_pivot" && !event.value("message", "").empty()
                 ? CheckOutcome::passed()
                 : CheckOutcome::mismatch("after three tools that failed in a row",
                                          "approach_pivot with a message", event.dump());
    });
  }

  [[nodiscard]] std::string intervention_id() const { return intervention_.value("event_id", ""); }
  [[nodiscard]] std::string message() const {
    return intervention_.at("event").value("message", "");
  }

  CheckOutcome be_notified(Deadline deadline) {
    while (true) {
      VIBES_TRY_ASSIGN(request, sink_->next(deadline));
      const json told = json::parse(request.body, nullptr, false);
      if (told.is_object() && told.value("event_id", "") == intervention_id()) {
        const bool is_it = told.value("trigger", "") == "intervention" &&
                           told.value("session_id", "") == session_ &&
                           told.value("body", "") == message();
        return is_it ? CheckOutcome::passed()
                     : CheckOutcome::mismatch("the webhook was told something else",
                                              "trigger intervention, body " + message(),
                                              excerpt(request.body));
      }
    }
  }

  /// Returns once it has read again what the kill took from it, of a log that may be long: a server
  /// that is far behind gives nothing to anybody.
  Result<void> kill_and_start_again(Deadline deadline) {
    VIBES_TRY(stage_.own_server().kill());
    VIBES_TRY(stage_.own_server().start_again(client::within(kStartWithin)));
    return wait_until("the group interventions reaches the end", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(group, get_json(stage_.target(), "/api/consumers/interventions", deadline));
      return group.value("lag", kBehind) < kBehind;
    });
  }

  CheckOutcome deliver(Deadline deadline) {
    VIBES_TRY(kill_and_start_again(deadline));
    VIBES_TRY_ASSIGN(out, prompt("Go on with the parser.", deadline));
    const json expected = {
        {"hookSpecificOutput",
         {{"hookEventName", "UserPromptSubmit"}, {"additionalContext", message()}}}};
    return json::parse(out, nullptr, false) == expected
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("what the hook printed", expected.dump(), excerpt(out));
  }

  CheckOutcome find_delivery(Deadline deadline) {
    VIBES_TRY_ASSIGN(entries, logged("intervention_delivered", deadline));
    const bool is_once = entries.size() == 1 &&
                         entries[0].at("event").value("intervention_id", "") == intervention_id();
    return is_once ? CheckOutcome::passed()
                   : CheckOutcome::mismatch("GET /api/events?types=intervention_delivered",
                                            "one, of " + intervention_id(),
                                            excerpt(json(entries).dump()));
  }

  CheckOutcome stay_silent(Deadline deadline) {
    VIBES_TRY_ASSIGN(out, prompt("And now the lexer.", deadline));
    VIBES_TRY(kill_and_start_again(deadline));
    VIBES_TRY_ASSIGN(resumed,
                     hook({{"hook_event_name", "SessionStart"}, {"source", "resume"}}, deadline));
    VIBES_TRY_ASSIGN(later, prompt("Then the printer.", deadline));
    out += resumed + later;
    return out.empty() ? find_delivery(deadline)
                       : CheckOutcome::mismatch("what the hooks printed", "nothing", excerpt(out));
  }

  CheckOutcome look_at_transcript(Deadline deadline) {
    return until_passed(deadline, [&]() -> CheckOutcome {
      VIBES_TRY_ASSIGN(transcript, get_json(stage_.target(),
                                            "/api/sessions/" + session_ + "/transcript", deadline));
      std::vector<std::string> kinds;
      bool is_said = false;
      for (const json& entry : transcript.value("entries", json::array())) {
        const std::string kind = entry.value("kind", "");
        if (kind.starts_with("intervention")) {
          kinds.push_back(kind);
        }
        is_said = is_said || (kind == "intervention" && entry.value("text", "") == message());
      }
      return is_said && kinds == std::vector<std::string>{"intervention", "intervention_delivered"}
                 ? CheckOutcome::passed()
                 : CheckOutcome::mismatch("GET /api/sessions/ID/transcript",
                                          "an intervention, then intervention_delivered",
                                          fmt::format("{}", fmt::join(kinds, ", ")));
    });
  }

  CheckOutcome end(Deadline deadline) {
    VIBES_TRY_ASSIGN(out, hook({{"hook_event_name", "SessionEnd"}, {"reason", "exit"}}, deadline));
    (void)out;
    return find_assessment(
        "heavy", "one that ended a session whose breaker had opened",
        [](const json& event) {
          return event.value("/breaker/openings"_json_pointer, 0) == 1 &&
                 !event.value("outcome", "").empty();
        },
        deadline);
  }

  CheckOutcome look_at_session(Deadline deadline) {
    return until_passed(deadline, [&]() -> CheckOutcome {
      VIBES_TRY_ASSIGN(told,
                       get_json(stage_.target(), "/api/assessment/sessions/" + session_, deadline));
      VIBES_TRY_ASSIGN(entries, logged("assessment", deadline));
      const auto count = [&](std::string_view tier) {
        return static_cast<std::size_t>(std::ranges::count_if(entries, [&](const json& entry) {
          return entry.at("event").value("tier", "") == tier;
        }));
      };
      const json interventions = told.value("interventions", json::array());
      const bool is_delivered = interventions.size() == 1 &&
                                interventions[0].value("event_id", "") == intervention_id() &&
                                interventions[0].value("delivered", false);
      const bool is_all = told.value("curve", json::array()).size() == count("lightweight") &&
                          told.value("checkpoints", json::array()).size() == count("medium") &&
                          count("medium") > 0 && count("heavy") == 1 && is_delivered &&
                          told.value("verdict", json()).is_object();
      return is_all ? CheckOutcome::passed()
                    : CheckOutcome::mismatch(
                          "GET /api/assessment/sessions/ID",
                          fmt::format("a curve of {} points, {} checkpoints (at least 1), {} "
                                      "delivered, a verdict",
                                      count("lightweight"), count("medium"), intervention_id()),
                          excerpt(told.dump()));
    });
  }

  /// The group's results, each where it is in the log.
  Result<std::vector<std::string>> results(Deadline deadline) {
    VIBES_TRY_ASSIGN(entries, logged("assessment,intervention", deadline));
    std::vector<std::string> places;
    for (const json& entry : entries) {
      places.push_back(fmt::format("{} at {}", entry.value("event_id", ""),
                                   entry.value("offset", std::uint64_t{0})));
    }
    return places;
  }

  CheckOutcome read_all(Deadline deadline) {
    VIBES_TRY(wait_until("the group assessment to read all", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(group, get_json(stage_.target(), "/api/consumers/assessment", deadline));
      return group.value("lag", std::uint64_t{1}) == 0;
    }));
    return CheckOutcome::passed();
  }

  CheckOutcome replay(Deadline deadline) {
    if (auto read = read_all(deadline); read.failure()) {
      return read;
    }
    VIBES_TRY_ASSIGN(before, results(deadline));
    // Answered once the group stands at the beginning.
    VIBES_TRY_ASSIGN(out, vibesctl({"consumers", "reset", "assessment"}, "", deadline));
    (void)out;
    if (auto read = read_all(deadline); read.failure()) {
      return read;
    }
    VIBES_TRY_ASSIGN(after, results(deadline));
    stage_.fact("results", std::to_string(before.size()));
    return before == after ? CheckOutcome::passed()
                           : CheckOutcome::mismatch("the log has other results than before",
                                                    fmt::format("{}", fmt::join(before, "\n")),
                                                    fmt::format("{}", fmt::join(after, "\n")));
  }

  Stage& stage_;
  std::string session_;
  std::unique_ptr<HttpSink> sink_;
  std::filesystem::path vibesctl_;
  json intervention_;  // as the log has it
};

}  // namespace

Scenario assessment_scenario() {
  return {.name = "assessment",
          .summary = "a session that goes wrong is noticed, and its agent is told once",
          .needs = Needs::durable_log,
          .checks = {"a server that assesses and intervenes starts",
                     "a session goes wrong, as 'vibesctl hook' is told",
                     "an assessment says that the breaker is open", "the log has one intervention",
                     "a notification of it arrives",
                     "after a kill -9 the next prompt's hook gives it to the agent",
                     "its delivery is in the log once",
                     "no later hook gives it again, nor after another kill -9",
                     "the transcript shows it and its delivery",
                     "the session's end brings a heavy verdict",
                     "the session's curve, checkpoints, intervention and verdict are told",
                     "read again from the beginning it appends nothing twice"},
          .play = [](Stage& stage) { Assessment(stage).play(); }};
}

}  // namespace vibes::verify
