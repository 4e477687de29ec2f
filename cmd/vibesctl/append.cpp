// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>

#include "append_run.hpp"
#include "cli/parse.hpp"
#include "verb.hpp"

namespace vibes::ctl {

void add_append(CLI::App& app, Session& session) {
  auto options = std::make_shared<AppendOptions>();
  CLI::App* verb = app.add_subcommand("append", "Append events to the log");
  verb->add_option("EVENT", options->events,
                   "Events as JSON objects with a \"type\"; '-' reads one from standard input");
  verb->add_flag("-l,--lines", options->lines, "Append each line of standard input");
  verb->add_option("--type", options->type, "Make an event of this type")->type_name("TYPE");
  verb->add_option("--session", options->session, "The session_id of that event")
      ->type_name("ID")
      ->needs("--type");
  verb->add_option("--data", options->data, "Further members of that event, a JSON object")
      ->type_name("JSON")
      ->needs("--type");
  verb->add_option("--ack", options->ack,
                   "Least durability to accept: memory, os, fsync or replicated")
      ->check(CLI::IsMember({"memory", "os", "fsync", "replicated"}))
      ->type_name("LEVEL");
  verb->add_flag("--receipts", options->receipts, "Print one JSON line per event on stdout");
  verb->add_flag("--no-spool", options->no_spool,
                 "Fail if the server is down, instead of keeping the events for later");
  verb->add_option("-W,--timeout", options->timeout,
                   "Seconds to wait for the server [10; a suffix as in 500ms is taken]")
      ->type_name("SECONDS");
  verb->footer(
      "Without EVENT, -l or --type nothing is read and it is an error.\n"
      "Examples:\n"
      "  vibesctl append '{\"type\":\"note\",\"text\":\"hello\"}'\n"
      "  vibesctl append --type deploy --session ci-42 --data '{\"ok\":true}' --receipts\n"
      "  jq -c '.[]' events.json | vibesctl append -l");
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return run_append(session, *options); };
  });
}

}  // namespace vibes::ctl
