// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::eventlog {

/// How much of the past is kept. Whole segments go, oldest first, and never one that a committed
/// group has yet to read, unless `beyond_groups`. Nothing set: everything is kept.
struct Retention {
  std::optional<std::chrono::seconds> age;
  std::optional<std::uint64_t> bytes;
  bool beyond_groups = false;
};

/// What a log that is made as a copy has of its source, so that cursors and offsets are valid on
/// both.
struct Origin {
  Uuid log_id;
  Offset first;  // of the first event that it will hold
};

struct LogOptions {
  DurabilityPolicy durability;
  Retention retention;
  std::uint64_t segment_bytes = limits::kSegmentBytes;
  std::uint64_t free_disk_floor_bytes = limits::kFreeDiskFloorBytes;
  std::optional<Origin> origin;  // for a log that is made new; nothing: its own
  /// Where an engine elsewhere keeps its copy on this machine; absolute. Empty: in memory.
  std::string state_directory;
  /// Groups whose consumer keeps its state on this machine: so are their commits.
  std::set<std::string, std::less<>> groups_kept_here;
  /// And those of them that every process runs for itself, claimed by none.
  std::set<std::string, std::less<>> groups_of_each;
  bool outbox = true;  // false: appends are refused while that engine is away
  std::size_t outbox_bytes_max = limits::kOutboxBytesMax;
  /// How long appends wait for an engine that went away until they go into the outbox.
  std::chrono::milliseconds engine_patience{1'000};
  std::chrono::milliseconds engine_within = limits::kEngineWithin;  // to be reached, at open
  const Clock* clock = nullptr;                                     // nullptr: the system's
  io::FileSystem* file_system = nullptr;  // nullptr: the machine's; tests give a SimDisk
  /// What to do after a failed sync, when nothing about the disk is known any more. The daemon
  /// exits at once with 74; tests look at it. nullptr: the log only latches into
  /// LogStatus::State::failed.
  std::function<void(const Error&)> on_fatal;
};

/// Opens a log for writing: `file:DIR` (or a bare path), `memory:`. A file log is created if DIR is
/// empty or missing. Errors: bad_url, locked, foreign, corrupt, unsupported_format, or the I/O
/// error.
Result<std::unique_ptr<EventLog>> open_log(std::string_view url, const LogOptions& options);

/// Opens a file log for reading only, whether or not a daemon has it open: takes no lock, changes
/// no byte, and reads up to what is known to be valid. append() returns Errc::closed.
Result<std::unique_ptr<EventLog>> open_log_read_only(std::string_view url,
                                                     io::FileSystem* file_system = nullptr);

}  // namespace vibes::eventlog
