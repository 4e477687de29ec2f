// SPDX-License-Identifier: MIT
#include "session/child_image.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/stat.h>

#include <unistd.h>

#include "session/errc.hpp"

namespace vibes::session {

namespace {

constexpr std::array<std::string_view, 12> kDaemonVariables = {
    "NOTIFY_SOCKET",    "LISTEN_FDS",   "LISTEN_PID",    "LISTEN_FDNAMES",
    "WATCHDOG_USEC",    "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID", "MAINPID",      "FDSTORE",       "CREDENTIALS_DIRECTORY"};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool is_daemons(std::string_view name) {
  return name.starts_with("VIBES_") || std::find(kDaemonVariables.begin(), kDaemonVariables.end(),
                                                 name) != kDaemonVariables.end();
}

bool is_program(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    environment.emplace_back(*variable);
  }
  return environment;
}

std::string_view environment_value(const Environment& environment, std::string_view name) {
  for (const std::string& variable : environment) {
    if (name_of(variable) == name && variable.size() > name.size()) {
      return std::string_view(variable).substr(name.size() + 1);
    }
  }
  return {};
}

Environment without_daemon_variables(Environment environment) {
  std::erase_if(environment,
                [](const std::string& variable) { return is_daemons(name_of(variable)); });
  return environment;
}

void set_variable(Environment& environment, std::string_view name, std::string_view value) {
  std::erase_if(environment,
                [&](const std::string& variable) { return name_of(variable) == name; });
  environment.push_back(std::string(name) + "=" + std::string(value));
}

std::string user_shell(const Environment& environment) {
  const std::string_view shell = environment_value(environment, "SHELL");
  return shell.starts_with('/') && is_program(shell) ? std::string(shell) : "/bin/sh";
}

Result<std::string> find_program(const std::string& name, const Environment& environment,
                                 const std::filesystem::path& cwd) {
  if (name.find('/') != std::string::npos) {
    if (is_program(cwd / name)) {
      return name;
    }
    return fail(Errc::bad_command, name + " is no executable file");
  }
  std::string_view path = environment_value(environment, "PATH");
  if (path.empty()) {
    path = "/usr/local/bin:/usr/bin:/bin";
  }
  while (!name.empty()) {
    const std::size_t colon = path.find(':');
    const std::filesystem::path candidate = std::filesystem::path(path.substr(0, colon)) / name;
    if (candidate.is_absolute() && is_program(candidate)) {
      return candidate.string();
    }
    if (colon == std::string_view::npos) {
      break;
    }
    path.remove_prefix(colon + 1);
  }
  return fail(Errc::bad_command, "'" + name + "' is not in PATH");
}

Result<void> check_cwd(const std::string& cwd) {
  struct stat info {};
  if (!cwd.starts_with('/') || cwd.find('\0') != std::string::npos) {
    return fail(Errc::bad_cwd, "'" + std::string(cwd.c_str()) + "' is not an absolute path");
  }
  if (::stat(cwd.c_str(), &info) != 0 || ::access(cwd.c_str(), X_OK) != 0) {
    return fail(Errc::bad_cwd, cwd + ": " + std::generic_category().message(errno));
  }
  if (!S_ISDIR(info.st_mode)) {
    return fail(Errc::bad_cwd, cwd + " is not a directory");
  }
  return {};
}

}  // namespace vibes::session
