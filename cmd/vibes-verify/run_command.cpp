// SPDX-License-Identifier: MIT
#include "run_command.hpp"

#include <fstream>
#include <iostream>
#include <random>

#include <unistd.h>

#include "client/endpoint.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "log_command.hpp"
#include "verify/scenario.hpp"

namespace vibes::verify_cmd {
namespace {

using cli::ExitCode;

constexpr std::chrono::seconds kConnectWithin{10};

ExitCode exit_code_of(const Error& error) {
  if (error.code == client::Errc::unauthorized || error.code == client::Errc::bad_token) {
    return ExitCode::authentication;
  }
  return error.code == client::Errc::bad_url ? ExitCode::usage : ExitCode::cannot_connect;
}

/// Where the report goes: a file, or stdout piece by piece.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (!path.empty()) {
      file_.emplace(path, std::ios::binary | std::ios::trunc);
    }
  }
  void write(const std::string& text) { stream() << text << std::flush; }
  [[nodiscard]] bool is_good() { return stream().good(); }

 private:
  std::ostream& stream() { return file_ ? static_cast<std::ostream&>(*file_) : std::cout; }
  std::optional<std::ofstream> file_;
};

/// The server at --url, once it has answered: a wrong URL or token is no failed verification.
Result<client::Target> find_running(const Options& options) {
  std::optional<std::filesystem::path> token_file;
  if (options.common.token_file) {
    token_file = *options.common.token_file;
  }
  VIBES_TRY_ASSIGN(target, client::find_target(options.common.url, token_file));
  client::HttpClient http(target);
  VIBES_TRY_ASSIGN(health,
                   http.send_ok({.method = "GET", .path = "/api/health", .headers = {}, .body = ""},
                                client::within(kConnectWithin)));
  (void)health;
  return target;
}

std::uint64_t seed_of(const Options& options) {
  return options.seed ? *options.seed : std::random_device{}();
}

}  // namespace

ExitCode list_scenarios() {
  for (const verify::Scenario& scenario : verify::scenarios()) {
    std::cout << scenario.name << "\n    " << scenario.summary << '\n';
    for (const std::string& check : scenario.checks) {
      std::cout << "      - " << check << '\n';
    }
  }
  return ExitCode::ok;
}

ExitCode run_scenarios(const Options& options, cli::Report& report) {
  const auto selected = verify::select_scenarios(options.scenarios);
  if (!selected) {
    std::vector<std::string> names;
    for (const verify::Scenario& scenario : verify::scenarios()) {
      names.push_back(scenario.name);
    }
    report.error("no scenario is called " + selected.error().context);
    const auto meant = cli::nearest(selected.error().context, names);
    report.hint(meant ? "did you mean " + *meant + "?" : "see vibes-verify list");
    return ExitCode::usage;
  }
  verify::RunOptions run;
  run.seed = seed_of(options);
  run.log = options.log;
  run.events = options.events;
  run.check_timeout = std::chrono::seconds(static_cast<std::int64_t>(options.timeout_s));
  run.keep = options.keep;
  run.read_offline = read_offline;
  if (options.common.url) {
    auto target = find_running(options);
    if (!target) {
      report.error(target.error());
      return exit_code_of(target.error());
    }
    run.running = *target;
  } else {
    auto program = verify::find_server_program();
    if (!program) {
      report.error(program.error());
      report.hint("name it in $VIBES_SERVER, or use --url");
      return ExitCode::not_found;
    }
    run.program = *program;
  }
  Output output(options.output);
  const bool is_coloured =
      options.output.empty() && cli::wants_color(options.common.color, STDOUT_FILENO);
  const auto reporter =
      verify::make_reporter(options.format, is_coloured ? verify::Colour::yes : verify::Colour::no);
  output.write(
      reporter->begin({.version = VIBES_VERSION,
                       .target = run.running ? run.running->endpoint.url() : "servers of its own",
                       .seed = run.seed,
                       .scenarios = selected->size()}));
  bool failed = false;
  for (const verify::Scenario* scenario : *selected) {
    const verify::ScenarioResult result = verify::play(*scenario, run);
    failed = failed || result.status() == verify::Status::failed;
    output.write(reporter->scenario(result));
  }
  output.write(reporter->end());
  if (!output.is_good()) {
    report.error("cannot write the report" +
                 (options.output.empty() ? std::string() : " to " + options.output));
    return ExitCode::io_error;
  }
  return failed ? ExitCode::verification_failed : ExitCode::ok;
}

}  // namespace vibes::verify_cmd
