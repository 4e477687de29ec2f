// SPDX-License-Identifier: MIT
#include "verify/scenarios/tools.hpp"

#include <thread>

#include <fmt/format.h>

#include "verify/errc.hpp"

namespace vibes::verify {

using nlohmann::json;

namespace {

void claim_checks(Stage& stage, const Verdict& verdict, const std::vector<Check>& checks) {
  for (const Check check : checks) {
    stage.claim(std::string(to_string(check)), [&](client::Deadline) {
      if (verdict.count(check) == 0) {
        return CheckOutcome::passed();
      }
      std::string seen;
      for (const Violation& violation : verdict.examples) {
        if (violation.check == check) {
          seen += (seen.empty() ? "" : "\n") + violation.explanation;
        }
      }
      return CheckOutcome::mismatch(
          fmt::format("{}: {} violations", to_string(check), verdict.count(check)), "none", seen);
    });
  }
}

void add_facts(Stage& stage, const Tally& tally) {
  stage.fact("attempted", std::to_string(tally.attempted));
  stage.fact("acked", std::to_string(tally.acked));
  stage.fact("indeterminate",
             fmt::format("{} ({} of them in the log)", tally.indeterminate, tally.recovered));
  stage.fact("delivered", std::to_string(tally.delivered));
  stage.fact("ack p50/p99",
             fmt::format("{:.2f}/{:.2f} ms", static_cast<double>(tally.ack_ns_p50) / 1e6,
                         static_cast<double>(tally.ack_ns_p99) / 1e6));
  if (tally.faults > 0) {
    stage.fact("faults", std::to_string(tally.faults));
    stage.fact("slowest restart", fmt::format("{} ms", tally.restart_ms_max));
  }
}

}  // namespace

Result<json> get_json(const client::Target& target, const std::string& path,
                      client::Deadline deadline) {
  client::HttpClient http(target);
  VIBES_TRY_ASSIGN(
      response, http.send_ok({.method = "GET", .path = path, .headers = {}, .body = ""}, deadline));
  json body = json::parse(response.body, nullptr, false);
  if (body.is_discarded()) {
    return fail(Errc::unexpected_answer,
                fmt::format("GET {}: no JSON: {}", path, excerpt(response.body)));
  }
  return body;
}

Result<client::HttpResponse> post_events(const client::Target& target, std::string body,
                                         const std::string& content_type,
                                         client::Deadline deadline) {
  client::HttpClient http(target);
  return http.send({.method = "POST",
                    .path = "/api/events",
                    .headers = {{"Content-Type", content_type}},
                    .body = std::move(body)},
                   deadline);
}

Result<Offset> log_end(const client::Target& target, client::Deadline deadline) {
  VIBES_TRY_ASSIGN(health, get_json(target, "/api/health", deadline));
  const json end = health.value("/log/end"_json_pointer, json());
  if (!end.is_number_unsigned()) {
    return fail(Errc::unexpected_answer, "GET /api/health names no log.end");
  }
  return Offset(end.get<std::uint64_t>());
}

Result<void> wait_until(const std::string& what, client::Deadline deadline,
                        const std::function<Result<bool>()>& is_so) {
  while (true) {
    VIBES_TRY_ASSIGN(so, is_so());
    if (so) {
      return {};
    }
    if (client::left_until(deadline).count() == 0) {
      return fail(Errc::timeout, "waited for " + what);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

CheckOutcome until_passed(client::Deadline deadline, const std::function<CheckOutcome()>& check) {
  while (true) {
    CheckOutcome outcome = check();
    if (!outcome.failure() || client::left_until(deadline).count() == 0) {
      return outcome;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::vector<std::string> steps_and(std::vector<std::string> steps,
                                   const std::vector<Check>& checks) {
  for (const Check check : checks) {
    steps.emplace_back(to_string(check));
  }
  return steps;
}

void judge_history(Stage& stage, History history, const std::vector<Check>& checks) {
  const Verdict verdict = check(history);
  add_facts(stage, verdict.tally);
  claim_checks(stage, verdict, checks);
  stage.set_history(std::move(history));
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kShown = 300;
  return text.size() <= kShown ? std::string(text)
                               : fmt::format("{}… ({} bytes)", text.substr(0, kShown), text.size());
}

}  // namespace vibes::verify
