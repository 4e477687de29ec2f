// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vibes::session {

/// Everything a child needs to become its program, made before the fork, because between fork and
/// exec of a process with threads nothing may be allocated.
struct ChildImage {
  std::string program;            // what is executed; found in PATH already
  std::vector<std::string> argv;  // at least one
  std::vector<std::string> environment;
  std::string cwd;
  mode_t umask = 022;
};

using Environment = std::vector<std::string>;  // "NAME=value"s

/// Those of this process.
Environment process_environment();
/// The value of `name`; empty if missing.
std::string_view environment_value(const Environment& environment, std::string_view name);
/// What the daemon has from its own supervisor or its own configuration is no child's business:
/// NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC and their like, and every VIBES_*.
Environment without_daemon_variables(Environment environment);
/// Replaces or adds.
void set_variable(Environment& environment, std::string_view name, std::string_view value);

/// The user's shell: $SHELL if it can be executed, else /bin/sh.
std::string user_shell(const Environment& environment);

/// The file that `name` means: a path as it is, otherwise looked for in the PATH of `environment`.
/// Errors: Errc::bad_command.
Result<std::string> find_program(const std::string& name, const Environment& environment,
                                 const std::filesystem::path& cwd);
/// Errors: Errc::bad_cwd.
Result<void> check_cwd(const std::string& cwd);

}  // namespace vibes::session
