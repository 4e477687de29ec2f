// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/layout.hpp"
#include "eventlog/file/segment_store.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// A log as it was found on disk, and where to go on writing.
struct RecoveredLog {
  struct Active {
    SegmentInfo info;
    std::unique_ptr<io::File> file;
    std::uint32_t chain = 0;  // header CRC of the last batch
    std::uint64_t batches = 0;
    SparseIndex sparse;
    std::vector<IdEntry> ids;  // in the order of offsets
  };

  std::optional<Uuid> log_id;  // nothing: there is no log yet
  std::vector<SegmentInfo> sealed;
  std::optional<Active>
      active;    // nothing: the last segment is sealed and its successor not yet made
  Offset first;  // the oldest offset kept
  Offset end;
  std::uint64_t epoch = 0;       // the highest seen
  std::uint64_t generation = 0;  // of the DURABLE slot
  bool was_closed = false;
  bool synced_each_batch = false;  // as far as is known
  Timestamp last_time;
  std::string report;  // what was found and done, one line; empty after a clean stop
};

enum class RecoveryMode {
  repair,  // for the writer: cut a torn tail off, finish what a crash interrupted
  look,    // for readers: change nothing, end before an invalid tail
};

/// Finds out what the files hold (RELIABILITY rules: docs/log-format.md, "Recovery"). A torn tail
/// is cut off into quarantine/; anything else that is wrong is refused with Errc::corrupt, naming
/// file and byte.
Result<RecoveredLog> recover(io::FileSystem& fs, const Layout& layout, RecoveryMode mode);

/// Copies [from, to) of a file to quarantine/ and syncs it.
Result<std::string> quarantine(io::FileSystem& fs, const Layout& layout, const io::File& file,
                               const std::string& name, std::uint64_t from, std::uint64_t to);

}  // namespace vibes::eventlog::file
