// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verb.hpp"

namespace vibes::ctl {

struct AppendOptions {
  std::vector<std::string> events;
  bool lines = false;
  std::optional<std::string> type;
  std::optional<std::string> session;
  std::optional<std::string> data;
  std::string ack;
  bool receipts = false;
  bool no_spool = false;
  std::string timeout = "10";
};

ExitCode run_append(Session& session, const AppendOptions& options);

}  // namespace vibes::ctl
