// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iostream>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

#include "verb.hpp"

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

}  // namespace

int main(int argc, char** argv) {
  using vibes::cli::ExitCode;
  using vibes::cli::to_int;
  vibes::cli::Report report("vibesctl", std::cerr);
  vibes::ctl::Session session{{}, report, {}};

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
      "6 gap, 9 conflict, 10 event rejected, 11 full, 65 damaged log, 74 I/O error, 124 timeout.\n"
      "See vibesctl(1).");
  vibes::cli::add_common_options(app, session.common);
  vibes::ctl::add_append(app, session);
  vibes::ctl::add_tail(app, session);
  vibes::ctl::add_consumers(app, session);
  vibes::ctl::add_log(app, session);
  vibes::ctl::add_health(app, session);
  if (wants_short_help({argv, static_cast<std::size_t>(argc)})) {
    drop_examples(app);
  }

  if (const auto done = vibes::cli::parse_command_line(app, argc, argv, report)) {
    return to_int(*done);
  }
  if (session.common.quiet) {
    report.set_verbosity(vibes::cli::Report::Verbosity::quiet);
  }
  try {
    return to_int(session.chosen());
  } catch (const std::exception& error) {
    report.error(error.what());
    return to_int(ExitCode::failure);
  }
}
