// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>

#include "eventlog/open.hpp"

namespace vibes::bench {

/// A file log that is made in this process, as fast as it goes.
struct MadeLog {
  std::uint64_t events = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();  // or as soon as it has so many
  /// Every so manieth event is of the type kRareType; 0: none.
  std::uint64_t rare_every = 1'000;
};
inline constexpr const char* kRareType = "note";

/// Ends the program with a message where that fails.
void make_log(const std::filesystem::path& directory, const MadeLog& what);

/// Opens it for reading and writing in this process.
std::unique_ptr<eventlog::EventLog> open_made_log(const std::filesystem::path& directory);

/// Reads all of its files, so that they are in the page cache.
void warm_up(const std::filesystem::path& directory);

}  // namespace vibes::bench
