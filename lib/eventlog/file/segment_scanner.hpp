// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "eventlog/file/codec.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

struct ScannedBatch {
  BatchHeader header;
  std::uint64_t position = 0;  // of the header
  Bytes body;                  // lives until the next call
};

/// Walks one segment from its header to its end and verifies everything on the way: header, body
/// and record CRCs, the chain, dense offsets, epochs that never fall. Borrows the file.
class SegmentScanner {
 public:
  enum class Finding {
    batch,    // a whole batch of events
    footer,   // the segment is sealed; nothing may follow but zeros
    end,      // nothing but zeros from position() on
    invalid,  // position() holds something else; why() says what
  };

  SegmentScanner(const io::File& file, std::uint64_t file_bytes, const SegmentHeader& header);

  /// Errors are those of reading the file. After footer, end and invalid the scan is over.
  Result<Finding> next(ScannedBatch& batch);

  [[nodiscard]] std::uint64_t position() const { return position_; }  // of what next() looks at
  [[nodiscard]] Offset expected() const { return expected_; }         // the next event's offset
  [[nodiscard]] std::uint32_t chain() const { return chain_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t batches() const { return batches_; }
  [[nodiscard]] const std::string& why() const { return why_; }

  /// After `invalid`: the first whole batch header behind position() at its own place. Whether it
  /// proves that the bytes at position() were once durable, its durable_before says.
  Result<std::optional<BatchHeader>> find_batch_behind();
  /// After `invalid`: the last byte that is not zero, from position() on.
  Result<std::uint64_t> last_used_byte();

  /// After `invalid`: goes on at the first whole batch behind, as if it followed. False: there is
  /// none.
  Result<bool> skip_damage();

 private:
  /// Up to `size` bytes at `position`, from a window that moves along; fewer at the end of the
  /// file.
  Result<Bytes> window(std::uint64_t position, std::size_t size);
  Result<Finding> judge_blank();
  Finding invalid(std::string why);
  std::string check_place(const BatchHeader& header) const;
  std::string check_records(const BatchHeader& header, Bytes body) const;

  const io::File& file_;
  std::uint64_t file_bytes_;
  SegmentHeader segment_;
  Seal seal_;
  std::uint64_t position_ = format::kSegmentHeaderBytes;
  Offset expected_;
  std::uint32_t chain_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t batches_ = 0;
  std::string why_;
  Buffer window_;
  std::uint64_t window_at_ = 0;
};

/// Calls `use` for each record of a batch that was verified, with its position in the segment.
void for_each_record(const ScannedBatch& batch,
                     const std::function<void(const event::EventView&, std::uint64_t)>& use);

}  // namespace vibes::eventlog::file
