// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "verb.hpp"

namespace vibes::ctl {

struct HooksOptions {
  std::string scope = "project";  // user, project, local
  std::string hooks = "default";
  std::string command = "vibesctl";
  bool dry_run = false;
  bool json = false;
};

ExitCode install_hooks(Session& session, const HooksOptions& options);
ExitCode uninstall_hooks(Session& session, const HooksOptions& options);
/// Of all scopes.
ExitCode hooks_status(Session& session, const HooksOptions& options);

}  // namespace vibes::ctl
