// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vibes::hooks {

/// An agent's settings (Claude Code's settings.json) as text, and our hooks in it. An entry is ours
/// if its arguments are `hook` and then `--tag vibes`:
///
///     "PreToolUse": [{"hooks": [{"type": "command", "command": "vibesctl",
///                                "args": ["hook", "--tag", "vibes"], "timeout": 10}]}]
///
/// Everything else is left byte for byte. Errors of all: Errc::bad_settings for what is no strict
/// JSON, with line and column, or has hooks in a form that we do not know; settings_too_large.

/// One of our entries.
struct Installed {
  std::string hook;
  std::string command;
};
Result<std::vector<Installed>> installed_hooks(std::string_view settings);

/// `settings` with our entry in each of `hooks`, called by `command`, which is looked up in PATH or
/// absolute. Entries of ours with another command get this one. Nothing changes where all is there.
Result<std::string> install_hooks(std::string_view settings, std::span<const std::string> hooks,
                                  std::string_view command);

/// `settings` without our entries and without what is empty then.
Result<std::string> uninstall_hooks(std::string_view settings);

/// What to write in place of `settings` so that it is as before install_hooks(): `before`, the
/// bytes of that time, if nothing but our entries, the layout and empty lists of hooks tell the two
/// apart; else as uninstall_hooks().
Result<std::string> restore_settings(std::string_view settings, std::string_view before);

}  // namespace vibes::hooks
