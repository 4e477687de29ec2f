// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verb.hpp"

namespace vibes::ctl {

/// `vibesctl log …` as it was typed.
struct LogOptions {
  std::string log;  // a directory or file:DIR; empty: the default log
  bool json = false;
  std::string from = "beginning";
  std::string until = "end";
  std::vector<std::string> types;
  std::optional<std::string> session;
  std::optional<std::uint64_t> count;
  std::string output = "json";
};

/// `vibesctl log copy …` as it was typed.
struct LogCopyOptions {
  /// Which committed offsets come along: of a file those of groups that the copy does not have.
  enum class Groups : std::uint8_t { missing, all, none };
  std::string source;
  std::string target;
  Groups groups = Groups::missing;
};

/// Copies a log into another, of any engine; goes on where an earlier run ended.
ExitCode log_copy(Session& session, const LogCopyOptions& options);

// These read only and take no lock, so a daemon may be running on the log.
ExitCode log_info(Session& session, const LogOptions& options);
ExitCode log_verify(Session& session, const LogOptions& options);
ExitCode log_dump(Session& session, const LogOptions& options);
ExitCode log_export(Session& session, const LogOptions& options);

/// The directory that the options mean.
Result<std::string> directory_of(const LogOptions& options);

}  // namespace vibes::ctl
