// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "base/result.hpp"
#include "eventlog/file/layout.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// Makes the directory of a log ready and takes its lock. A directory that is missing or empty
/// becomes a log. Errors: locked, foreign (something else lives there), unfit rights or file
/// system, or the I/O error. Nothing is changed in a directory that is not ours or that another
/// process has open.
Result<std::unique_ptr<io::FileLock>> lock_directory(io::FileSystem& fs, const Layout& layout);

/// Whether a log has been made in the directory.
Result<bool> holds_log(io::FileSystem& fs, const Layout& layout);

}  // namespace vibes::eventlog::file
