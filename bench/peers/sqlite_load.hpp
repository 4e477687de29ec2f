// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace vibes::bench {

/// Appends `event` to a table of a new database `file` in this process, in transactions of
/// `per_transaction`, for `seconds`; WAL, synchronous=FULL. Returns events a second.
double run_sqlite(const std::filesystem::path& file, const std::string& event, int per_transaction,
                  double seconds);

}  // namespace vibes::bench
