// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>

#include "hooks_run.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {
namespace {

void add_where(CLI::App& verb, HooksOptions& options) {
  verb.add_option("--scope", options.scope,
                  "Whose settings: user, project or local (this project, not shared) [project]")
      ->check(CLI::IsMember({"user", "project", "local"}))
      ->type_name("SCOPE");
  verb.add_flag("--dry-run", options.dry_run, "Print what would change, and change nothing");
}

}  // namespace

void add_hooks(CLI::App& app, Session& session) {
  auto options = std::make_shared<HooksOptions>();
  VerbFamily family(app, session, "hooks", "Let Claude Code call 'vibesctl hook'");
  const auto add = [&](const char* name, const char* description, auto run) {
    return family.add(name, description,
                      [&session, options, run] { return run(session, *options); });
  };
  CLI::App* install = add("install", "Add our hooks to the agent's settings", install_hooks);
  add_where(*install, *options);
  install
      ->add_option(
          "--events", options->hooks,
          "Hooks: names with commas between them, 'default', or 'all' that can be recorded")
      ->type_name("LIST");
  install
      ->add_option("--command", options->command,
                   "What the agent calls: a name in its PATH or an absolute path [vibesctl]")
      ->type_name("PROGRAM");
  add_where(*add("uninstall", "Take them out again", uninstall_hooks), *options);
  add("status", "Say where our hooks are installed", hooks_status)
      ->add_flag("--json", options->json, "Print JSON");
  family.footer(
      "Examples:\n"
      "  vibesctl hooks install --dry-run\n"
      "  vibesctl hooks install --scope user\n"
      "  vibesctl hooks install --events PreToolUse,PostToolUse,Stop\n"
      "  vibesctl hooks uninstall");
}

}  // namespace vibes::ctl
