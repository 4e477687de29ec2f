// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "backend_options.hpp"
#include "base/limits.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "consumers/assessment/patterns.hpp"
#include "event/check.hpp"
#include "eventlog/open.hpp"
#include "net/listener.hpp"
#include "notify_options.hpp"

namespace vibes::server {

/// Who may come in over TCP.
enum class AuthMode { token, none };

/// What becomes of interventions.
enum class Interventions { recorded, handed_out };

/// What the command line, the environment and the configuration files say, as text.
struct OptionTexts {
  std::vector<std::string> listen = {"127.0.0.1:7432"};
  std::string unix_path;  // empty: the usual place
  std::string log;        // empty: the usual place
  std::string durability = "fsync";
  std::string auth = "token";
  std::string net_threads;
  std::string retain_age;
  std::string retain_size;
  std::string engine_wait = "10s";
  bool no_outbox = false;
  std::string session_command;
  NotifyTexts notify;
  bool strict_types = false;
  std::string assessment = "off";
  std::string interventions = "off";
  std::vector<std::string> assess_negative;
  std::vector<std::string> assess_positive;
  BackendTexts assess_backend;
  int ready_fd = -1;
  bool check_config = false;
  bool print_config = false;
};

/// The same, checked and with every default filled in.
struct Options {
  std::vector<net::ListenAddress> listen;  // empty: no TCP
  std::optional<std::filesystem::path> unix_path;
  std::string log_url;
  eventlog::DurabilityPolicy durability;
  eventlog::Retention retention;
  /// Of an engine elsewhere.
  std::chrono::milliseconds engine_wait = limits::kEngineWithin;
  bool outbox = true;
  AuthMode auth = AuthMode::token;
  unsigned net_threads = 1;
  std::string session_command;
  consumers::NotifyOptions notify;
  NotifyTexts notify_texts;  // as given, for to_toml()
  event::UnknownTypes unknown_types = event::UnknownTypes::pass;
  /// The patterns of assessment; nothing: sessions are not assessed.
  std::optional<consumers::assessment::Patterns> assessment;
  Interventions interventions = Interventions::recorded;
  consumers::assessment::ExtraPatterns assessment_patterns;  // as they were given
  /// The model that summarises; nothing: none.
  std::optional<consumers::assessment::BackendOptions> backend;
  BackendTexts backend_texts;  // as given, for to_toml()
  int ready_fd = -1;
  Paths paths;
};

/// What to do after reading the options: run with them, or leave with a code.
struct Parsed {
  std::optional<Options> options;
  cli::ExitCode code = cli::ExitCode::ok;
};

/// Reads flags, then VIBES_* variables, then ./.vibes/config.toml, then
/// $XDG_CONFIG_HOME/vibes/config.toml; who comes first wins. Mistakes are reported. --help,
/// --version, --check-config and --print-config end here.
Parsed parse_options(int argc, const char* const* argv, cli::Report& report);

/// Checks the texts. Errors: std::errc::invalid_argument, naming the option.
Result<Options> check_options(const OptionTexts& texts, const Paths& paths);

/// The effective configuration as TOML, as config.toml would say it.
std::string to_toml(const Options& options);

}  // namespace vibes::server
