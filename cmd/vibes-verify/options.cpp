// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <string_view>

#include <CLI/CLI.hpp>

namespace vibes::verify_cmd {
namespace {

constexpr std::string_view kFooter = R"(
Without --url every scenario starts a vibes-server of its own on a free port, with a log in a
temporary directory, and removes it afterwards. $VIBES_SERVER names the program to start.

Examples:
  vibes-verify                                   all scenarios
  vibes-verify create-session restart            two of them
  vibes-verify --format junit --output report.xml
  vibes-verify --url http://127.0.0.1:7432 create-session
  vibes-verify log ~/.local/share/vibes/log      a log directory, no server needed

Exit status: 0 all passed, 1 failure, 2 usage, 3 cannot connect, 7 a check failed, 65 damaged log.)";

struct Names {
  std::string format = "human";
  bool keep = false;
};

void add_run_options(CLI::App& app, Options& options, Names& names) {
  app.add_option("scenarios", options.scenarios, "Scenarios to run (default: all, see list)")
      ->type_name("SCENARIO");
  cli::add_common_options(app, options.common);
  app.add_option("--log", options.log,
                 "Engine of the servers that are started: file:DIR, memory: or nats://HOST/STREAM")
      ->type_name("URL");
  app.add_option("--format", names.format, "human, tap, junit or json")
      ->check(CLI::IsMember({"human", "tap", "junit", "json"}));
  app.add_option("--output", options.output, "Write the report to this file instead of stdout")
      ->type_name("FILE");
  app.add_option("--seed", options.seed, "Repeat a run: the seed it printed")->type_name("N");
  app.add_option("--events", options.events, "Size of the big scenarios (default: 100000)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1'000}, std::uint64_t{100'000'000}));
  app.add_option("--timeout", options.timeout_s, "Seconds one check may take (default: 60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 86'400.0));
  app.add_flag("--keep", names.keep, "Keep directories and histories, and say where they are");
}

}  // namespace

std::optional<cli::ExitCode> parse(int argc, const char* const* argv, Options& options,
                                   cli::Report& report) {
  CLI::App app("Verify vibes end to end: append, log, consumer, firehose", "vibes-verify");
  app.set_version_flag("--version", std::string("vibes-verify ") + VIBES_VERSION);
  app.footer(std::string(kFooter));
  Names names;
  add_run_options(app, options, names);
  CLI::App* run = app.add_subcommand("run", "Run scenarios (the default)")->fallthrough();
  CLI::App* list = app.add_subcommand("list", "List the scenarios and their checks");
  CLI::App* log = app.add_subcommand("log", "Check a log directory, without a server");
  log->add_option("directory", options.directory, "The log's directory")
      ->type_name("DIR")
      ->required();
  run->add_option("scenarios", options.scenarios, "Scenarios to run")->type_name("SCENARIO");
  app.require_subcommand(0, 1);
  if (auto done = cli::parse_command_line(app, argc, argv, report)) {
    return done;
  }
  options.command = list->parsed()  ? Options::Command::list
                    : log->parsed() ? Options::Command::log
                                    : Options::Command::run;
  options.format = *verify::parse_format(names.format);
  options.keep = names.keep ? verify::RunOptions::Keep::all : verify::RunOptions::Keep::no;
  return std::nullopt;
}

}  // namespace vibes::verify_cmd
