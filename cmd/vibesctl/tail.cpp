// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>

#include "tail_options.hpp"
#include "verb.hpp"

namespace vibes::ctl {
namespace {

void add_where(CLI::App& verb, TailOptions& options) {
  verb.add_option("-n", options.lines,
                  "Start with the newest N matching events, or all [10; with -e all]")
      ->type_name("N|all");
  verb.add_option("--from", options.from,
                  "Start at beginning, end, an offset, -N from the end, a time or a cursor")
      ->type_name("POS")
      ->excludes("-n");
  verb.add_option("--since", options.since,
                  "Start at a time: RFC 3339, 'YYYY-MM-DD HH:MM', HH:MM, today, yesterday, -1h")
      ->type_name("TIME")
      ->excludes("-n")
      ->excludes("--from");
  verb.add_option("--until", options.until, "Stop before a time or an offset, or at end")
      ->type_name("TIME|end");
  verb.add_flag("-e,--until-end", options.until_end, "Stop at what is the end now")
      ->excludes("--until");
  verb.add_option("--types", options.types,
                  "Only these categories or types, comma-separated: claude, session, hook, …")
      ->type_name("TYPES")
      ->delimiter(',');
  verb.add_option("--session", options.session, "Only events of this session, under all its names")
      ->type_name("ID");
  verb.add_flag("--tree", options.tree, "With the sessions that were started in it")
      ->needs("--session");
}

void add_when_to_stop(CLI::App& verb, TailOptions& options) {
  verb.add_option("-C,--count", options.count, "Stop after COUNT events")->type_name("COUNT");
  verb.add_option("-W,--timeout", options.timeout, "Stop with status 124 after so many seconds")
      ->type_name("SECONDS");
  verb.add_option("--idle", options.idle, "Stop after so long without an event")
      ->type_name("SECONDS");
}

void add_how_to_print(CLI::App& verb, TailOptions& options) {
  verb.add_option("-o,--output", options.output,
                  "short, json (with envelope), cat (the event alone) or cloudevents [short]")
      ->check(CLI::IsMember({"short", "json", "cat", "cloudevents"}))
      ->type_name("FORMAT");
  verb.add_option("-F,--format", options.format,
                  "A line of your own: {time} {type} {session} {offset} {summary} {event.PATH} …")
      ->type_name("TEMPLATE")
      ->excludes("-o");
}

void add_how_to_resume(CLI::App& verb, TailOptions& options) {
  verb.add_option("--cursor-file", options.cursor_file,
                  "Start at the cursor in this file, and keep it up to date")
      ->type_name("FILE");
  verb.add_flag("--show-cursor", options.show_cursor, "Say the last cursor on stderr at the end");
  CLI::Option* group =
      verb.add_option("--group", options.group,
                      "Read as a member of a durable group: the server keeps the place")
          ->type_name("NAME")
          ->excludes("--cursor-file")
          ->excludes("--since")
          ->excludes("--until")
          ->excludes("-n");
  verb.add_option("--exec", options.exec,
                  "Run CMD with sh for each event (on its stdin); status 0 commits it")
      ->type_name("CMD")
      ->needs(group);
  verb.add_option("--ready-fd", options.ready_fd,
                  "Write a line to this descriptor once events flow")
      ->type_name("FD");
}

}  // namespace

void add_tail(CLI::App& app, Session& session) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* verb = app.add_subcommand("tail", "Print events and follow the log");
  add_where(*verb, *options);
  add_when_to_stop(*verb, *options);
  add_how_to_print(*verb, *options);
  add_how_to_resume(*verb, *options);
  verb->footer(
      "Examples:\n"
      "  vibesctl tail --types hook,session\n"
      "  vibesctl tail -n all -e -o json | jq 'select(.event.type == \"hook\")'\n"
      "  vibesctl tail --since -1h -F '{local_time} {session} {event.event.tool_name}'\n"
      "  vibesctl tail --group mailer --types notification --exec ./send-mail");
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return run_tail(session, *options); };
  });
}

}  // namespace vibes::ctl
