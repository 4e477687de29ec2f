// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/term.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "consumer_table.hpp"
#include "json_text.hpp"
#include "verb.hpp"

namespace vibes::ctl {
namespace {

constexpr std::chrono::milliseconds kAskWithin{10'000};

void print_health(const nlohmann::json& health, const client::Target& target) {
  const auto log = health.value("log", nlohmann::json::object());
  const auto consumers = health.value("consumers", nlohmann::json::array());
  std::cout << fmt::format("status      {}\n", shown(health, "status"))
            << fmt::format("server      {} (version {}, up {} s)\n", target.endpoint.url(),
                           shown(health, "version"), shown(health, "uptime_seconds"))
            << fmt::format("log         {}{}\n", shown(log, "state"),
                           log.value("reason", "").empty() ? "" : ": " + shown(log, "reason"))
            << fmt::format("            {} ({}), id {}\n", shown(log, "url"),
                           shown(log, "durability"), shown(log, "id"))
            << fmt::format("            offsets {} to {}, {} bytes in {} segments\n",
                           shown(log, "first"), shown(log, "end"), shown(log, "bytes"),
                           shown(log, "segments"))
            << fmt::format("sessions    {}\n", shown(health, "active_sessions"))
            << fmt::format("connections {}\n", shown(health, "connections"));
  if (log.value("pending_events", std::uint64_t{0}) > 0 ||
      log.value("refused_events", std::uint64_t{0}) > 0) {
    std::cout << fmt::format("pending     {} events wait for the engine, {} were refused by it\n",
                             shown(log, "pending_events"), shown(log, "refused_events"));
  }
  if (log.value("foreign_messages", std::uint64_t{0}) > 0) {
    std::cout << fmt::format("foreign     {} messages in the engine are no events\n",
                             shown(log, "foreign_messages"));
  }
  if (!log.value("recovery", "").empty()) {
    std::cout << "recovery    " << shown(log, "recovery") << "\n";
  }
  if (!consumers.empty()) {
    std::cout << "\n" << consumer_table(consumers);
  }
}

ExitCode run_health(Session& session, bool as_json) {
  const auto target = find_target(session);
  if (!target) {
    return report_error(session, target.error());
  }
  client::HttpRequest request;
  request.path = "/api/health";
  const auto answer = client::HttpClient(*target).send(request, client::within(kAskWithin));
  if (!answer) {
    return report_error(session, answer.error());
  }
  const auto health = nlohmann::json::parse(answer->body, nullptr, false);
  if (!health.is_object() || !health.contains("status")) {
    return report_error(
        session, answer->is_success()
                     ? Error{client::make_error_code(client::Errc::bad_answer), "/api/health"}
                     : client::http_error(*answer));
  }
  if (as_json) {
    std::cout << cli::escaped(answer->body) << "\n";
  } else {
    print_health(health, *target);
  }
  return health["status"] == "ok" ? ExitCode::ok : ExitCode::failure;
}

}  // namespace

void add_health(CLI::App& app, Session& session) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("health", "Say how the server is");
  verb->add_flag("--json", *as_json, "Print the server's answer as it is");
  verb->footer(
      "Exit status: 0 ok, 1 degraded or failing, 3 cannot connect.\n"
      "Example:\n"
      "  vibesctl health --json | jq .log.state");
  verb->final_callback([&session, as_json] {
    session.chosen = [&session, as_json] { return run_health(session, *as_json); };
  });
}

}  // namespace vibes::ctl
