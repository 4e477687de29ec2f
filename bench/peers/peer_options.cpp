// SPDX-License-Identifier: MIT
#include "peers/peer_options.hpp"

#include <sys/resource.h>

#include "options.hpp"

namespace vibes::bench {

std::string parse_peer_options(CLI::App& app, int argc, char** argv,
                               const std::vector<std::string>& parts, PeerOptions& options) {
  std::filesystem::path bin = std::filesystem::path(beside_us("x")).parent_path();
  options.only = parts;
  add_runs(app, options.runs);
  add_only(app, options.only, "The part to measure");
  app.add_option("--dir", options.dir, "Where the logs are made, on the disk that is measured")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--bin", bin, "Where the programs to measure are")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  const std::string json = parse_or_exit(app, argc, argv);
  options.dir = std::filesystem::absolute(options.dir);
  options.server = std::filesystem::absolute(bin) / "vibes-server";
  options.ctl = std::filesystem::absolute(bin) / "vibesctl";
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return json;
}

}  // namespace vibes::bench
