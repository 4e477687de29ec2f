// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>

#include "hook_run.hpp"
#include "verb.hpp"

namespace vibes::ctl {

void add_hook(CLI::App& app, Session& session) {
  auto options = std::make_shared<HookOptions>();
  CLI::App* verb =
      app.add_subcommand("hook", "Record what an agent gives its hook, and never hurt");
  verb->add_option("--tag", options->tag, "Ignored; marks the entries of 'vibesctl hooks install'")
      ->type_name("TEXT");
  verb->add_option("-W,--timeout", options->timeout,
                   "Seconds to wait for the server [50ms; a suffix as in 500ms is taken]")
      ->type_name("SECONDS");
  verb->footer(
      "Reads the payload from standard input and always exits 0. Prints nothing but what waits "
      "for\n"
      "the agent ('vibes-server --interventions on'). What does not reach the server in time is "
      "kept\n"
      "in the spool and sent later. With VIBES_HOOKS=off in the environment nothing is done.\n"
      "Examples:\n"
      "  vibesctl hook <payload.json\n"
      "  vibesctl hooks install");
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return run_hook(session, *options); };
  });
}

}  // namespace vibes::ctl
