// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::eventlog::file {

/// What a log directory holds, without reading the events of sealed segments.
struct LogInfo {
  struct Segment {
    std::string path;
    std::uint64_t number = 0;
    Offset first;
    Offset end;
    std::uint64_t bytes = 0;  // of the file
    std::uint64_t epoch = 0;  // in which it was created
    bool sealed = false;
    Timestamp first_time;  // of its first and last event; zero where it has none
    Timestamp last_time;
  };
  /// The newer DURABLE slot.
  struct Durable {
    Offset end;  // offsets below were known to be on disk
    std::uint64_t epoch = 0;
    std::uint64_t generation = 0;
    Timestamp written;
    bool closed = false;  // the last stop was clean
  };

  Uuid log_id;
  std::string directory;
  Offset first;
  Offset end;
  Timestamp first_time;
  Timestamp last_time;
  std::uint64_t bytes = 0;
  std::uint64_t epoch = 0;  // the highest: one more per opening for writing
  std::vector<Segment> segments;
  std::map<std::string, Offset, std::less<>> groups;  // the next offset each will read
  std::optional<Durable> durable;
  std::string note;  // what the next opening would find worth mentioning
};

/// Changes nothing, takes no lock. Errors: foreign, corrupt, unsupported_format, or the I/O error.
Result<LogInfo> read_log_info(io::FileSystem& fs, const std::string& directory);

}  // namespace vibes::eventlog::file
