// SPDX-License-Identifier: MIT
#include <csignal>
#include <iostream>

#include "client/https_exchange.hpp"
#include "log_command.hpp"
#include "options.hpp"
#include "run_command.hpp"

int main(int argc, char** argv) {
  using namespace vibes;
  // A server that goes away while we write to it is an error to report, not our end.
  (void)::signal(SIGPIPE, SIG_IGN);
  client::enable_https();
  cli::Report report("vibes-verify", std::cerr);
  verify_cmd::Options options;
  if (const auto done = verify_cmd::parse(argc, argv, options, report)) {
    return cli::to_int(*done);
  }
  switch (options.command) {
    case verify_cmd::Options::Command::list:
      return cli::to_int(verify_cmd::list_scenarios());
    case verify_cmd::Options::Command::log:
      return cli::to_int(verify_cmd::check_log_directory(options.directory, report));
    case verify_cmd::Options::Command::run:
      break;
  }
  return cli::to_int(verify_cmd::run_scenarios(options, report));
}
