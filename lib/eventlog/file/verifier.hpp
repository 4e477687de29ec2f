// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::eventlog::file {

/// One thing that is not as it should be.
struct Finding {
  enum class Severity : std::uint8_t {
    note,    // harmless: what a crash leaves behind, or derived data that will be rebuilt
    damage,  // events are lost or unreadable, or the log will refuse to open
  };
  Severity severity = Severity::damage;
  std::string path;
  std::uint64_t position = 0;  // byte in it
  Offset from;                 // events concerned: [from, to); from == to where none are
  Offset to;
  std::string what;
};

/// What a look at every byte of a log found.
struct VerifyReport {
  std::optional<Uuid> log_id;
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;  // whole and readable
  std::uint64_t bytes = 0;
  Offset first;
  Offset end;
  std::vector<Finding> findings;

  [[nodiscard]] bool is_damaged() const;
};

/// Reads the whole log in `directory` and checks every CRC, the chain, the offsets, the DURABLE
/// slots, the indices and the groups. Changes nothing, takes no lock, goes on behind damage where
/// it can. Beside a running daemon a batch in flight may show as a note. Errors: foreign (no log
/// there), or an I/O error of a directory; damage is not an error but a finding.
Result<VerifyReport> verify_log(io::FileSystem& fs, const std::string& directory);

}  // namespace vibes::eventlog::file
