// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::eventlog::remote {

/// By what name a log holds groups: told to people, and nobody else's. It is kept in `directory`,
/// which one process has at a time, so that whoever was killed there has its groups back at once.
/// Without a directory it is different for every opened log. Errors: I/O.
Result<std::string> owner_name(io::FileSystem& files, const std::string& directory);

}  // namespace vibes::eventlog::remote
