// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::consumers {

/// Small files of our own state, mode 0600. Errors: those of the system.
/// Nothing where there is no such file.
Result<std::optional<std::string>> read_state_file(const std::filesystem::path& file);
/// Replaces it as a whole: after a crash the old text or the new one is there.
Result<void> write_state_file(const std::filesystem::path& file, std::string_view text);

}  // namespace vibes::consumers
