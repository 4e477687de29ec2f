// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>

#include "import_run.hpp"
#include "verb.hpp"

namespace vibes::ctl {

void add_import(CLI::App& app, Session& session) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* verb =
      app.add_subcommand("import", "Append what a transcript or a file of events holds");
  verb->add_option("FILE", options->files,
                   "Claude Code transcripts or NDJSON files of events; '-' is standard input")
      ->required();
  verb->add_option("-W,--timeout", options->timeout,
                   "Seconds to wait for the server [10; a suffix as in 500ms is taken]")
      ->type_name("SECONDS");
  verb->footer(
      "Importing the same again appends nothing.\n"
      "Examples:\n"
      "  vibesctl import ~/.claude/projects/*/*.jsonl\n"
      "  vibesctl log export /old/log | vibesctl import -");
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return run_import(session, *options); };
  });
}

}  // namespace vibes::ctl
