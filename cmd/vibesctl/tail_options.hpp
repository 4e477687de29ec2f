// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verb.hpp"

namespace vibes::ctl {

/// `vibesctl tail` as it was typed.
struct TailOptions {
  std::optional<std::string> lines;  // -n: a number or "all"
  std::optional<std::string> from;
  std::optional<std::string> since;
  std::optional<std::string> until;
  bool until_end = false;
  std::vector<std::string> types;
  std::optional<std::string> session;
  bool tree = false;
  std::optional<std::uint64_t> count;
  std::optional<std::string> timeout;
  std::optional<std::string> idle;
  std::string output = "short";
  std::optional<std::string> format;
  std::optional<std::string> cursor_file;
  bool show_cursor = false;
  std::optional<std::string> group;
  std::optional<std::string> exec;
  std::optional<int> ready_fd;
};

ExitCode run_tail(Session& session, const TailOptions& options);

}  // namespace vibes::ctl
