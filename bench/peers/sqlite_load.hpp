// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace vibes::bench {

/// Appends `event` to a table of a new database in this process, in transactions of
/// `per_transaction`, for `seconds`; WAL, synchronous=FULL. Makes `directory` for it and removes
/// it. Returns events a second.
double run_sqlite(const std::filesystem::path& directory, const std::string& event,
                  int per_transaction, double seconds);

}  // namespace vibes::bench
