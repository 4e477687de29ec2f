// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <sys/types.h>

#include "base/result.hpp"

namespace vibes::server {

/// Makes room for connections: raises the soft limit of open files as far as we have use for it.
/// Returns how many connections may be open beside what the log needs. Errors: the hard limit is
/// under limits::kFdsRequired.
Result<std::size_t> prepare_descriptors();

/// umask 077, and the signals whose default would end a daemon for nothing: writing to a closed
/// socket, a file at its size limit. Returns the umask there was, which the programs in sessions
/// get.
[[nodiscard]] mode_t prepare_process();

}  // namespace vibes::server
