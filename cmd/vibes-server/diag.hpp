// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace vibes::server {

// The daemon's diagnostics, on stderr, one line each with its time. Control bytes are escaped, so
// that nothing a client sends can forge a line. Thread-safe.

void start_diag();
void diag_info(std::string_view text);
void diag_warning(std::string_view text);
void diag_error(std::string_view text);

}  // namespace vibes::server
