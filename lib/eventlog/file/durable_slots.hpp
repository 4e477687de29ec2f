// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "eventlog/file/codec.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// What is known to be on disk, written down apart from the log itself: the witness that tells a
/// torn tail from lost data.
struct DurableMark {
  Uuid log_id;
  std::uint64_t generation = 0;
  std::uint64_t segment = 0;   // being written
  std::uint64_t position = 0;  // byte in it where the next batch goes
  Offset end;                  // every offset below is durable
  std::uint64_t epoch = 0;
  Offset first;  // the oldest offset kept
  Timestamp written;
  format::SlotState state = format::SlotState::open;
  /// Every batch is synced before the next is written: then only the last one can be torn.
  bool syncs_each_batch = true;
};

using SlotBlock = std::array<std::byte, format::kSlotBytes>;
SlotBlock encode(const DurableMark& mark);
/// Nothing unless the slot is whole. Error: unsupported_format.
Result<std::optional<DurableMark>> parse_slot(Bytes block);

/// The newer of the two slots of `path`. Nothing if the file is missing or neither slot is whole.
Result<std::optional<DurableMark>> read_durable_mark(io::FileSystem& fs, const std::string& path);

/// The file DURABLE, open for writing. One thread.
class DurableSlots {
 public:
  /// Opens or creates it; a created one is synced with its directory by the first write().
  static Result<DurableSlots> open(io::FileSystem& fs, const std::string& directory,
                                   std::uint64_t generation);

  /// Writes the older slot and syncs it; sets the generation. After an error nothing is known of
  /// that slot; the other one stands.
  Result<void> write(DurableMark mark);

 private:
  DurableSlots(io::FileSystem& fs, std::string directory, std::unique_ptr<io::File> file,
               std::uint64_t generation, bool created);

  io::FileSystem* fs_;
  std::string directory_;
  std::unique_ptr<io::File> file_;
  std::uint64_t generation_;
  bool created_;
};

}  // namespace vibes::eventlog::file
