// SPDX-License-Identifier: MIT
#include <charconv>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "ask.hpp"
#include "cli/parse.hpp"
#include "session_place.hpp"
#include "session_table.hpp"
#include "session_transcript.hpp"
#include "verb.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {
namespace {

using nlohmann::json;

struct SessionsOptions {
  std::vector<std::string> ids;
  std::string id;
  std::string name;
  std::string cwd;
  std::string size;
  std::vector<std::string> command;
  bool json = false;
};

client::HttpRequest list_request() {
  client::HttpRequest request;
  request.path = "/api/sessions";
  return request;
}

ExitCode list(Session& session, const SessionsOptions& options) {
  return ask(session, list_request(), [&](const std::string& body) {
    const json answer = json::parse(body, nullptr, false);
    if (options.json || !answer.is_object() || !answer.contains("sessions")) {
      std::cout << body << "\n";
    } else {
      std::cout << session_table(answer["sessions"]);
    }
  });
}

/// "COLSxROWS".
Result<std::pair<unsigned, unsigned>> parse_window(const std::string& text) {
  std::pair<unsigned, unsigned> size;
  const char* const end = text.data() + text.size();
  const auto cols = std::from_chars(text.data(), end, size.first);
  const bool has_rows = cols.ec == std::errc() && cols.ptr != end && *cols.ptr == 'x';
  const auto rows = has_rows ? std::from_chars(cols.ptr + 1, end, size.second)
                             : std::from_chars_result{end, std::errc::invalid_argument};
  if (rows.ec != std::errc() || rows.ptr != end) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "--size " + text + ": columns and rows are meant, as in 120x40");
  }
  return size;
}

Result<json> new_session(const Session& session, const SessionsOptions& options) {
  json body = json::object();
  if (!options.id.empty()) {
    body["session_id"] = options.id;
  }
  if (!options.name.empty()) {
    body["name"] = options.name;
  }
  if (const std::string parent = own_session(); !parent.empty()) {
    body["parent_session_id"] = parent;
  }
  if (!options.command.empty()) {
    body["command"] = options.command;
  }
  if (!options.size.empty()) {
    VIBES_TRY_ASSIGN(size, parse_window(options.size));
    body["cols"] = size.first;
    body["rows"] = size.second;
  }
  VIBES_TRY_ASSIGN(target, find_target(session));
  VIBES_TRY_ASSIGN(cwd, session_cwd(options.cwd, target));
  if (!cwd.empty()) {
    body["cwd"] = cwd;
  }
  return body;
}

ExitCode create(Session& session, const SessionsOptions& options) {
  const auto body = new_session(session, options);
  if (!body) {
    return report_query_error(session, body.error());
  }
  client::HttpRequest request;
  request.method = "POST";
  request.path = "/api/sessions";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body->dump();
  return ask(session, request, [&](const std::string& text) {
    const json made = json::parse(text, nullptr, false);
    std::cout << (options.json || !made.is_object() ? text : made.value("id", "")) << "\n";
  });
}

ExitCode kill(Session& session, const SessionsOptions& options) {
  ExitCode code = ExitCode::ok;
  for (const std::string& id : options.ids) {
    client::HttpRequest request;
    request.method = "DELETE";
    request.path = "/api/sessions/" + client::percent_encode(id);
    const ExitCode one = ask(session, request, [](const std::string&) {});
    code = one == ExitCode::ok ? code : one;
  }
  return code;
}

void add_create_options(CLI::App& verb, SessionsOptions& options) {
  verb.add_option("CMD", options.command,
                  "The command and its arguments, behind -- [the server's --session-command]");
  verb.add_option("--id", options.id, "Its ID [a new UUID]")->type_name("ID");
  verb.add_option("--name", options.name, "A name for people")->type_name("NAME");
  verb.add_option("--cwd", options.cwd, "Where it starts [here]")->type_name("DIR");
  verb.add_option("--size", options.size, "Size of its terminal [120x40]")->type_name("COLSxROWS");
}

}  // namespace

void add_sessions(CLI::App& app, Session& session) {
  auto options = std::make_shared<SessionsOptions>();
  VerbFamily family(app, session, "sessions", "Terminal sessions, and what happened in any session",
                    [&session, options] { return list(session, *options); });
  const auto add = [&](const char* name, const char* description, auto run) {
    return family.add(name, description,
                      [&session, options, run] { return run(session, *options); });
  };
  const auto has_json = [&](CLI::App* sub) {
    sub->add_flag("--json", options->json, "Print JSON");
    return sub;
  };
  has_json(add("list", "List all sessions, also those that ended within 30 s", list));
  add_create_options(*has_json(add("create", "Start a program in a new session", create)),
                     *options);
  add_transcript_verbs(family, session);
  add("kill", "End a session's programs: SIGHUP, after 5 s SIGKILL", kill)
      ->add_option("ID", options->ids, "IDs of sessions")
      ->required();
  family.footer(
      "Examples:\n"
      "  vibesctl sessions                       (the same as sessions list)\n"
      "  id=$(vibesctl sessions create --name build -- make -j4)\n"
      "  vibesctl attach \"$id\"\n"
      "  vibesctl sessions kill \"$id\"\n"
      "  vibesctl sessions show \"$id\"            (also after it ended)\n"
      "  vibesctl sessions export \"$id\" --format markdown > session.md");
}

}  // namespace vibes::ctl
