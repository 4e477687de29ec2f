// SPDX-License-Identifier: MIT
#include "hooks_run.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "hooks/errc.hpp"
#include "hooks/hook_names.hpp"
#include "hooks/settings.hpp"
#include "hooks/settings_file.hpp"
#include "text_diff.hpp"
#include "text_table.hpp"

namespace vibes::ctl {
namespace {

using std::filesystem::path;

constexpr const char* kNoSettings = "{}";

std::optional<path> environment_path(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  if (value == nullptr || *value == '\0') {
    return std::nullopt;
  }
  return value;
}

Result<path> settings_path(const std::string& scope) {
  if (scope == "project") {
    return path(".claude") / "settings.json";
  }
  if (scope == "local") {
    return path(".claude") / "settings.local.json";
  }
  if (const auto folder = environment_path("CLAUDE_CONFIG_DIR")) {
    return *folder / "settings.json";
  }
  if (const auto home = environment_path("HOME")) {
    return *home / ".claude" / "settings.json";
  }
  return fail(std::make_error_code(std::errc::no_such_file_or_directory), "HOME is not set");
}

Result<hooks::SettingsFile> settings_file(const std::string& scope) {
  VIBES_TRY_ASSIGN(file, settings_path(scope));
  return hooks::SettingsFile(std::filesystem::absolute(file));
}

/// An error of the file named once, whatever failed.
Unexpected in_file(const hooks::SettingsFile& file, Error error) {
  if (error.context.find(file.path().string()) == std::string::npos) {
    error.context = file.path().string() + ": " + error.context;
  }
  return fail(std::move(error));
}

bool is_in_path(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    return ::access(program.c_str(), X_OK) == 0;
  }
  std::istringstream folders(environment_path("PATH").value_or("").string());
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && ::access((path(folder) / program).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

void warn_of_command(Session& session, const std::string& command) {
  if (!is_in_path(command)) {
    session.report.warning("'" + command + "' is not in PATH: the agent's hooks will fail");
    session.report.hint("name it with --command /path/to/vibesctl, or mend the agent's PATH");
  }
}

void warn_of_unknown(Session& session, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!hooks::is_known(name)) {
      session.report.warning("no hook '" + name + "' is known; it is installed all the same");
    }
  }
}

Result<void> install(Session& session, const HooksOptions& options) {
  if (options.command.empty() ||
      (options.command.find('/') != std::string::npos && !options.command.starts_with('/'))) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "--command is neither a name nor an absolute path");
  }
  VIBES_TRY_ASSIGN(names, hooks::choose_hooks(options.hooks));
  VIBES_TRY_ASSIGN(file, settings_file(options.scope));
  VIBES_TRY_ASSIGN(before, file.read());
  const std::string old = before.value_or(kNoSettings);
  auto settings = hooks::install_hooks(old, names, options.command);
  if (!settings) {
    return in_file(file, settings.error());
  }
  if (!before) {
    *settings += '\n';
  }
  if (options.dry_run) {
    std::cout << unified_diff(file.path().string(), before.value_or(""), *settings);
    return {};
  }
  warn_of_command(session, options.command);
  warn_of_unknown(session, names);
  if (*settings == before) {
    session.report.note(file.path().string() + " has these hooks already");
    return {};
  }
  VIBES_TRY_ASSIGN(ours, hooks::installed_hooks(old));
  if (before && ours.empty()) {
    VIBES_TRY(file.write_backup(*before));
  }
  VIBES_TRY(file.write(before, *settings));
  session.report.note("installed " + std::to_string(names.size()) + " hooks in " +
                      file.path().string());
  return {};
}

/// Nothing: the file is to go, because it holds nothing but what install made.
Result<std::optional<std::string>> settings_without(const hooks::SettingsFile& file,
                                                    const std::string& settings) {
  VIBES_TRY_ASSIGN(backup, file.read_backup());
  if (backup) {
    VIBES_TRY_ASSIGN(restored, hooks::restore_settings(settings, *backup));
    return std::optional(std::move(restored));
  }
  VIBES_TRY_ASSIGN(without, hooks::uninstall_hooks(settings));
  const auto json = nlohmann::json::parse(without, nullptr, false);
  return json.empty() ? std::optional<std::string>() : std::optional(std::move(without));
}

Result<void> uninstall(Session& session, const HooksOptions& options) {
  VIBES_TRY_ASSIGN(file, settings_file(options.scope));
  VIBES_TRY_ASSIGN(before, file.read());
  const auto ours = hooks::installed_hooks(before.value_or(kNoSettings));
  if (!ours) {
    return in_file(file, ours.error());
  }
  if (ours->empty()) {
    session.report.note("no hooks of ours in " + file.path().string());
    return {};
  }
  auto after = settings_without(file, *before);
  if (!after) {
    return in_file(file, after.error());
  }
  if (options.dry_run) {
    std::cout << unified_diff(file.path().string(), *before, after->value_or(""));
    return {};
  }
  VIBES_TRY(*after ? file.write(before, **after) : file.remove(*before));
  VIBES_TRY_ASSIGN(backup, file.read_backup());
  if (backup && *backup == *after) {
    VIBES_TRY(file.remove_backup());
  }
  session.report.note("removed " + std::to_string(ours->size()) + " hooks from " +
                      file.path().string());
  return {};
}

ExitCode finish(Session& session, const Result<void>& done) {
  if (done) {
    return ExitCode::ok;
  }
  if (done.error().code == hooks::make_error_code(hooks::Errc::bad_hook_name)) {
    session.report.error(done.error());
    return ExitCode::usage;
  }
  return report_error(session, done.error());
}

/// What status tells of one scope.
struct Scope {
  std::string name;
  std::string file;
  std::string error;
  std::vector<hooks::Installed> installed;
};

Scope look_at(const std::string& name) {
  Scope scope{name, {}, {}, {}};
  const auto file = settings_file(name);
  if (!file) {
    scope.error = file.error().message();
    return scope;
  }
  scope.file = file->path().string();
  const auto settings = file->read();
  auto installed = settings ? hooks::installed_hooks(settings->value_or(kNoSettings))
                            : Result<std::vector<hooks::Installed>>(fail(settings.error()));
  if (installed) {
    scope.installed = *std::move(installed);
  } else {
    scope.error = installed.error().message();
  }
  return scope;
}

std::string summary_of(const Scope& scope) {
  if (!scope.error.empty()) {
    return scope.error;
  }
  if (scope.installed.empty()) {
    return "not installed";
  }
  std::set<std::string> commands;
  for (const auto& [hook, command] : scope.installed) {
    commands.insert(is_in_path(command) ? command : command + " (not in PATH)");
  }
  std::string text = std::to_string(scope.installed.size()) + " hooks call";
  for (const std::string& command : commands) {
    text += " " + command;
  }
  return text;
}

nlohmann::ordered_json json_of(const Scope& scope) {
  nlohmann::ordered_json hooks = nlohmann::ordered_json::array();
  for (const auto& [hook, command] : scope.installed) {
    hooks.push_back({{"hook", hook}, {"command", command}, {"found", is_in_path(command)}});
  }
  nlohmann::ordered_json json = {{"scope", scope.name}, {"file", scope.file}, {"hooks", hooks}};
  if (!scope.error.empty()) {
    json["error"] = scope.error;
  }
  return json;
}

}  // namespace

ExitCode install_hooks(Session& session, const HooksOptions& options) {
  return finish(session, install(session, options));
}

ExitCode uninstall_hooks(Session& session, const HooksOptions& options) {
  return finish(session, uninstall(session, options));
}

ExitCode hooks_status(Session& /*session*/, const HooksOptions& options) {
  TextTable table({"SCOPE", "HOOKS", "FILE"});
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  ExitCode code = ExitCode::ok;
  for (const char* name : {"user", "project", "local"}) {
    const Scope scope = look_at(name);
    code = scope.error.empty() ? code : ExitCode::failure;
    table.add({scope.name, summary_of(scope), scope.file});
    json.push_back(json_of(scope));
  }
  if (options.json) {
    std::cout << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << "\n";
  } else {
    std::cout << table.text();
  }
  return code;
}

}  // namespace vibes::ctl
