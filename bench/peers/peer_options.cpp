// SPDX-License-Identifier: MIT
#include "peers/peer_options.hpp"

#include <algorithm>
#include <sys/resource.h>

#include "options.hpp"
#include "peers/daemon.hpp"

namespace vibes::bench {

bool PeerOptions::wants(const std::string& part) const {
  return std::ranges::find(only, part) != only.end();
}

std::string parse_peer_options(CLI::App& app, int argc, char** argv,
                               const std::vector<std::string>& parts, PeerOptions& options) {
  std::filesystem::path bin = std::filesystem::path(beside_us("x")).parent_path();
  options.only = parts;
  app.add_option("--runs", options.runs, "How often everything is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--only", options.only, "The part to measure; may be repeated")
      ->check(CLI::IsMember(parts))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("PART")
      ->capture_default_str();
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
