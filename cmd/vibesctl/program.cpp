// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "hook_run.hpp"

namespace vibes::ctl {
namespace {

/// -h is for a glance: the options without the examples.
bool wants_short_help(std::span<char*> arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const char* word) { return std::string_view(word) == "-h"; });
}

void drop_examples(CLI::App& app) {
  app.footer("");
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    drop_examples(*sub);
  }
}

/// A descriptor that was closed would be given to the next file that is opened, and messages and
/// data would be written into it.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {
      (void)::open("/dev/null", O_RDWR);  // the lowest that is free: this one
    }
  }
}

/// For an agent any status but 0 means something: a hook is recorded even if it was called wrongly.
bool calls_hook(std::span<char*> arguments) {
  const auto word =
      std::find_if(arguments.begin() + 1, arguments.end(), [](const char* w) { return *w != '-'; });
  return word != arguments.end() && std::string_view(*word) == "hook";
}

}  // namespace

int run_program(std::span<char*> arguments, std::span<const AddVerb> verbs) {
  open_standard_descriptors();
  const bool is_hook = calls_hook(arguments);
  if (is_hook) {
    outlive_agent();
  }
  cli::Report report("vibesctl", std::cerr);
  Session session{{}, report, {}};

  CLI::App app("Append to, follow and look after the event log of vibes-server.", "vibesctl");
  app.set_version_flag("--version", "vibesctl " VIBES_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Examples:\n"
      "  vibesctl append '{\"type\":\"note\",\"text\":\"hello\"}'\n"
      "  vibesctl tail -n 20\n"
      "  vibesctl tail --types hook -o json | jq .event\n\n"
      "Exit status: 0 ok, 1 failure, 2 usage, 3 cannot connect, 4 authentication, 5 not found,\n"
      "6 gap, 7 not verified, 9 conflict, 10 event rejected, 11 full, 65 damaged log, 74 I/O "
      "error,\n"
      "75 in use, 124 timeout.\n"
      "See vibesctl(1).");
  cli::add_common_options(app, session.common);
  for (const AddVerb add : verbs) {
    add(app, session);
  }
  if (wants_short_help(arguments)) {
    drop_examples(app);
  }

  if (const auto done = cli::parse_command_line(app, static_cast<int>(arguments.size()),
                                                arguments.data(), report)) {
    return to_int(is_hook && *done != ExitCode::ok ? run_hook(session, {}) : *done);
  }
  if (session.common.quiet) {
    report.set_verbosity(cli::Report::Verbosity::quiet);
  }
  try {
    return to_int(session.chosen());
  } catch (const std::exception& error) {
    report.error(error.what());
    return to_int(ExitCode::failure);
  }
}

}  // namespace vibes::ctl
