// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/term.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "json_text.hpp"
#include "verb.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {
namespace {

/// Every try a channel may make, with its pauses.
constexpr std::chrono::milliseconds kTestWithin{120'000};

ExitCode print_results(const nlohmann::json& channels) {
  ExitCode code = ExitCode::ok;
  for (const auto& one : channels) {
    std::cout << fmt::format("{:<10} {:<10} {}\n", shown(one, "channel"), shown(one, "result"),
                             shown(one, "detail"));
    if (one.value("result", "") != "sent") {
      code = ExitCode::failure;
    }
  }
  return code;
}

ExitCode run_test(Session& session, bool as_json) {
  const auto target = find_target(session);
  if (!target) {
    return report_error(session, target.error());
  }
  client::HttpRequest request;
  request.method = "POST";
  request.path = "/api/notify/test";
  const auto answer = client::HttpClient(*target).send(request, client::within(kTestWithin));
  if (!answer) {
    return report_error(session, answer.error());
  }
  const auto body = nlohmann::json::parse(answer->body, nullptr, false);
  if (!answer->is_success() || !body.is_object() || !body.contains("channels")) {
    return report_error(session,
                        answer->is_success()
                            ? Error{client::make_error_code(client::Errc::bad_answer), request.path}
                            : client::http_error(*answer));
  }
  if (as_json) {
    std::cout << cli::escaped(answer->body) << "\n";
    return ExitCode::ok;
  }
  return print_results(body["channels"]);
}

}  // namespace

void add_notify(CLI::App& app, Session& session) {
  auto as_json = std::make_shared<bool>(false);
  VerbFamily family(app, session, "notify", "Look after notifications");
  family
      .add("test", "Send a test notification through every channel",
           [&session, as_json] { return run_test(session, *as_json); })
      ->add_flag("--json", *as_json, "Print the server's answer as it is");
  family.footer(
      "Exit status: 0 every channel took it, 1 one did not.\n"
      "Example:\n"
      "  vibesctl notify test");
}

}  // namespace vibes::ctl
