// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace vibes {

// For the small files of programs; the log has its own way to the disk (io/file_system.hpp). The
// errors are the system's, with the name of the file. Thread-safe.

/// Writes all of `bytes` to `fd`, which is `file` in errors. Interruptions do not end it.
Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& file);

/// Makes what was created, renamed and removed in `folder` durable.
Result<void> sync_folder(const std::filesystem::path& folder);

}  // namespace vibes
