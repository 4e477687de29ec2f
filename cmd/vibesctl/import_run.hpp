// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "verb.hpp"

namespace vibes::ctl {

struct ImportOptions {
  std::vector<std::string> files;
  std::string timeout = "10";
};

ExitCode run_import(Session& session, const ImportOptions& options);

}  // namespace vibes::ctl
