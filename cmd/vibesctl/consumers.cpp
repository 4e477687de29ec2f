// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "ask.hpp"
#include "cli/parse.hpp"
#include "consumer_table.hpp"
#include "verb.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {
namespace {

struct ConsumerOptions {
  std::string group;
  std::string position;
  bool json = false;
};

std::string path_of(const std::string& group) {
  return "/api/consumers/" + client::percent_encode(group);
}

void print_consumers(const std::string& body, bool as_json) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (as_json || !json.is_object()) {
    std::cout << body << "\n";
  } else {
    std::cout << consumer_table(json.contains("consumers") ? json["consumers"]
                                                           : nlohmann::json::array({json}));
  }
}

ExitCode list(Session& session, const ConsumerOptions& options) {
  client::HttpRequest request;
  request.path = options.group.empty() ? "/api/consumers" : path_of(options.group);
  return ask(session, request,
             [&](const std::string& body) { print_consumers(body, options.json); });
}

/// Times people write become RFC 3339; everything else is the server's to judge.
Result<std::string> wire_position(const std::string& position) {
  const bool offset = position.find_first_not_of("-0123456789") == std::string::npos;
  if (offset || position == "beginning" || position == "end" || position.starts_with("v1.")) {
    return position;
  }
  VIBES_TRY_ASSIGN(time, cli::parse_time(position, system_clock().now()));
  return format_rfc3339(time);
}

ExitCode seek(Session& session, const ConsumerOptions& options) {
  const auto position = wire_position(options.position);
  if (!position) {
    return report_query_error(session, position.error());
  }
  client::HttpRequest request;
  request.method = "PUT";
  request.path = path_of(options.group);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = nlohmann::json{{"position", *position}}.dump();
  return ask(session, request, [&](const std::string& body) {
    if (!body.empty() && !session.report.is_quiet()) {
      print_consumers(body, options.json);
    }
  });
}

ExitCode reset(Session& session, const ConsumerOptions& options) {
  client::HttpRequest request;
  request.method = "POST";
  request.path = path_of(options.group) + "/reset";
  return ask(session, request, [&](const std::string& body) {
    if (!session.report.is_quiet()) {
      print_consumers(body, options.json);
    }
  });
}

ExitCode remove(Session& session, const ConsumerOptions& options) {
  client::HttpRequest request;
  request.method = "DELETE";
  request.path = path_of(options.group);
  return ask(session, request, [](const std::string&) {});
}

ExitCode dead_letters(Session& session, const ConsumerOptions& options) {
  client::HttpRequest request;
  request.path = path_of(options.group) + "/dead-letters";
  return ask(session, request, [](const std::string& body) { std::cout << body; });
}

}  // namespace

void add_consumers(CLI::App& app, Session& session) {
  auto options = std::make_shared<ConsumerOptions>();
  VerbFamily family(app, session, "consumers", "Look at and move consumer groups",
                    [&session, options] { return list(session, *options); });
  const auto add = [&](const char* name, const char* description, auto run) {
    return family.add(name, description,
                      [&session, options, run] { return run(session, *options); });
  };
  const auto needs_group = [&](CLI::App* sub) {
    sub->add_option("GROUP", options->group, "Name of the group")->required();
    return sub;
  };
  add("list", "List all groups with their state and lag", list)
      ->add_flag("--json", options->json, "Print JSON");
  needs_group(add("show", "Show one group", list))->add_flag("--json", options->json, "Print JSON");
  CLI::App* seeker = needs_group(add("seek", "Set where a group reads next", seek));
  seeker
      ->add_option("--to", options->position,
                   "beginning, end, an offset, -N from the end, a time or a cursor")
      ->type_name("POS")
      ->required();
  seeker->add_flag("--json", options->json, "Print JSON");
  needs_group(add("reset", "Put a group back to the beginning, without dead letters", reset))
      ->add_flag("--json", options->json, "Print JSON");
  needs_group(add("remove", "Forget a group", remove));
  needs_group(
      add("dead-letters", "Print the events a group gave up on, as JSON lines", dead_letters));
  family.footer(
      "Examples:\n"
      "  vibesctl consumers                      (the same as consumers list)\n"
      "  vibesctl consumers seek mailer --to -1h\n"
      "  vibesctl consumers dead-letters mailer | jq -r .event_id");
}

}  // namespace vibes::ctl
