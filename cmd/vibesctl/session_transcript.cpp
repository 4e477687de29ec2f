// SPDX-License-Identifier: MIT
#include "session_transcript.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ask.hpp"
#include "assessment_view.hpp"
#include "cli/term.hpp"
#include "client/errc.hpp"
#include "json_text.hpp"
#include "session_table.hpp"
#include "text_table.hpp"

namespace vibes::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kAskWithin{30'000};

struct TranscriptOptions {
  std::string id;
  std::string format = "markdown";
  bool json = false;
};

client::HttpRequest transcript_request(const std::string& id, const std::string& format) {
  client::HttpRequest request;
  request.path = "/api/sessions/" + client::percent_encode(id) + "/transcript?format=" + format;
  return request;
}

/// The session if it runs in a terminal of the server's, else null.
Result<json> find_terminal(const client::Target& target, const std::string& id) {
  client::HttpRequest request;
  request.path = "/api/sessions";
  VIBES_TRY_ASSIGN(answer, client::HttpClient(target).send_ok(request, client::within(kAskWithin)));
  const json parsed = json::parse(answer.body, nullptr, false);
  for (const json& one : parsed.is_object() ? parsed.value("sessions", json::array()) : json()) {
    if (one.is_object() && one.value("id", "") == id) {
      return one;
    }
  }
  return json();
}

/// What the server tells of one session there; null where it knows nothing.
Result<json> find_known(const client::Target& target, const client::HttpRequest& request) {
  const auto answer = client::HttpClient(target).send_ok(request, client::within(kAskWithin));
  if (!answer && answer.error().code == client::make_error_code(client::Errc::not_found)) {
    return json();
  }
  if (!answer) {
    return fail(answer.error());
  }
  json parsed = json::parse(answer->body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("session")) {
    return fail(client::make_error_code(client::Errc::bad_answer), request.path);
  }
  return parsed;
}

/// What the log says of the session; null where it says nothing.
Result<json> find_record(const client::Target& target, const std::string& id) {
  VIBES_TRY_ASSIGN(known, find_known(target, transcript_request(id, "record")));
  return known.is_null() ? json() : std::move(known["session"]);
}

/// What the assessment found; null where it found nothing.
Result<json> find_assessment(const client::Target& target, const std::string& id) {
  client::HttpRequest request;
  request.path = "/api/assessment/sessions/" + client::percent_encode(id);
  return find_known(target, request);
}

std::string count_table(const json& record) {
  TextTable tools({"TOOL", "CALLS", "FAILED"});
  const json by_tool = record.value("by_tool", json::object());
  for (const auto& [name, count] : by_tool.items()) {
    tools.add(
        {name.empty() ? "-" : cli::escaped(name), shown(count, "calls"), shown(count, "failed")});
  }
  TextTable events({"EVENTS", "COUNT"});
  const json counts = record.value("counts", json::object());
  for (const auto& [type, count] : counts.items()) {
    events.add({cli::escaped(type), count.dump()});
  }
  return (by_tool.empty() ? "" : tools.text() + "\n") + events.text();
}

void print_head(const json& record) {
  std::cout << fmt::format("session   {}\n", shown(record, "id"))
            << fmt::format("name      {}\n", shown(record, "name"))
            << fmt::format("state     {}\n", shown(record, "state"))
            << fmt::format("directory {}\n", shown(record, "cwd"))
            << fmt::format("created   {}\n", shown(record, "created"))
            << fmt::format("ended     {}\n", shown(record, "ended"))
            << fmt::format("events    {}, {} to {}\n", shown(record, "events"),
                           shown(record, "first_event"), shown(record, "last_event"))
            << fmt::format("prompts   {}\n", shown(record, "prompts"))
            << fmt::format("tools     {}, {} failed\n", shown(record, "tools"),
                           shown(record, "tools_failed"))
            << fmt::format("errors    {}\n", shown(record, "errors"))
            << fmt::format("tokens    {} in, {} out, in {} turns\n", shown(record, "input_tokens"),
                           shown(record, "output_tokens"), shown(record, "turns"));
  for (const json& link : record.value("links", json::array())) {
    std::cout << fmt::format("linked    {} ({})\n", shown(link, "session_id"),
                             shown(link, "relation"));
  }
}

void print_assessment(const json& assessment, cli::Color color) {
  constexpr std::size_t kPipedColumns = 80;
  const std::size_t terminal = cli::terminal_columns(STDOUT_FILENO).value_or(0);
  const cli::CurveStyle style{.columns = terminal > 0 ? terminal : kPipedColumns,
                              .utf8 = cli::wants_utf8(),
                              .color = cli::wants_color(color, STDOUT_FILENO)};
  std::cout << assessment_text(assessment, style, terminal);
}

Result<void> print_session(Session& session, const TranscriptOptions& options) {
  VIBES_TRY_ASSIGN(target, find_target(session));
  VIBES_TRY_ASSIGN(terminal, find_terminal(target, options.id));
  VIBES_TRY_ASSIGN(record, find_record(target, options.id));
  VIBES_TRY_ASSIGN(assessment, find_assessment(target, options.id));
  if (record.is_null() && terminal.is_null()) {
    return fail(client::make_error_code(client::Errc::not_found), "session " + options.id);
  }
  if (options.json) {
    json whole = terminal.is_null() ? json{{"id", options.id}} : terminal;
    whole["record"] = record;
    whole["assessment"] = assessment;
    std::cout << whole.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    return {};
  }
  if (!terminal.is_null()) {
    std::cout << session_table(json::array({terminal})) << (record.is_null() ? "" : "\n");
  }
  if (!record.is_null()) {
    print_head(record);
    print_assessment(assessment, session.common.color);
    std::cout << "\n" << count_table(record);
  }
  return {};
}

ExitCode show(Session& session, const TranscriptOptions& options) {
  const Result<void> printed = print_session(session, options);
  return printed ? ExitCode::ok : report_query_error(session, printed.error());
}

ExitCode export_session(Session& session, const TranscriptOptions& options) {
  return ask(session, transcript_request(options.id, options.format),
             [](const std::string& body) { std::cout << body; });
}

}  // namespace

void add_transcript_verbs(VerbFamily& family, Session& session) {
  auto options = std::make_shared<TranscriptOptions>();
  const auto add = [&](const char* name, const char* description, auto run) {
    CLI::App* const verb =
        family.add(name, description, [&session, options, run] { return run(session, *options); });
    verb->add_option("ID", options->id, "ID of the session")->required();
    return verb;
  };
  add("show", "What the log tells of a session, live or over", show)
      ->add_flag("--json", options->json, "Print JSON");
  add("export", "Print a session's transcript", export_session)
      ->add_option("--format", options->format, "markdown or jsonl, an entry a line [markdown]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"markdown", "jsonl"}));
}

}  // namespace vibes::ctl
