// SPDX-License-Identifier: MIT
#include <iostream>
#include <utility>

#include "cli/report.hpp"
#include "daemon.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  using namespace vibes;
  cli::Report report("vibes-server", std::cerr);
  server::Parsed parsed = server::parse_options(argc, argv, report);
  if (!parsed.options) {
    return cli::to_int(parsed.code);
  }
  return cli::to_int(server::run_daemon(*std::move(parsed.options), report));
}
