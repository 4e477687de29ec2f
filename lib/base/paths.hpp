// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace vibes {

/// Where vibes keeps things, by the XDG base directory specification. Nothing is created here.
struct Paths {
  std::filesystem::path config;   // $XDG_CONFIG_HOME/vibes/config.toml
  std::filesystem::path log;      // $XDG_DATA_HOME/vibes/log
  std::filesystem::path state;    // $XDG_STATE_HOME/vibes
  std::filesystem::path runtime;  // $XDG_RUNTIME_DIR/vibes, else <state>/run

  [[nodiscard]] std::filesystem::path socket() const { return runtime / "vibes.sock"; }
  [[nodiscard]] std::filesystem::path token() const { return runtime / "token"; }
  [[nodiscard]] std::filesystem::path spool() const { return state / "spool"; }
};

/// Reads the environment. Without HOME and without the XDG variables that would replace it, an
/// error.
Result<Paths> default_paths();

/// Makes `dir` and its missing parents with mode 0700 and checks that it is a directory (not a link
/// to one) that belongs to us and that nobody else may write. The error says which of these is not
/// so.
Result<void> make_private_directory(const std::filesystem::path& dir);

}  // namespace vibes
