// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "event/event.hpp"
#include "eventlog/file/format.hpp"

namespace vibes::eventlog::file {

using Bytes = std::span<const std::byte>;
using Buffer = std::vector<std::byte>;

/// Seeds every CRC with the place its bytes belong to, so that a stale, swapped or misdirected
/// block and a segment of another log are as wrong as a flipped bit. A value.
class Seal {
 public:
  explicit Seal(const Uuid& log_id);
  /// For a batch: its segment and the byte where its header starts.
  [[nodiscard]] std::uint32_t batch(std::uint64_t segment, std::uint64_t position) const;
  /// For a record: its offset.
  [[nodiscard]] std::uint32_t record(Offset offset) const;

 private:
  std::uint32_t log_seed_;
};

struct SegmentHeader {
  Uuid log_id;
  std::uint64_t number = 0;
  Offset first;
  std::uint64_t epoch = 0;
  std::uint64_t capacity = 0;
  Timestamp created;
  std::uint32_t prev_crc = 0;  // of the footer of the segment before
  std::uint32_t crc = 0;       // of this header; starts the chain of its batches
};

using SegmentHeaderBlock = std::array<std::byte, format::kSegmentHeaderBytes>;

/// Fills in header.crc.
SegmentHeaderBlock encode(SegmentHeader& header);
/// Errors: corrupt, unsupported_format; the context says what is wrong, not where.
Result<SegmentHeader> parse_segment_header(Bytes block);

struct BatchHeader {
  std::uint32_t body_crc = 0;
  std::uint32_t body_bytes = 0;
  std::uint64_t epoch = 0;
  Offset first;
  std::uint32_t count = 0;
  format::BatchType type = format::BatchType::events;
  std::uint32_t prev_crc = 0;
  Offset durable_before;
  Timestamp time;
  std::uint32_t crc =
      0;  // of this header; covers body_crc and prev_crc, hence everything before it

  [[nodiscard]] Offset end() const { return first + count; }
  [[nodiscard]] std::uint64_t bytes() const { return format::kBatchHeaderBytes + body_bytes; }
};

/// Writes the header into the first kBatchHeaderBytes of `batch`, whose rest is the body. Fills in
/// body_bytes, body_crc and crc.
void seal_batch(BatchHeader& header, std::span<std::byte> batch, std::uint32_t seed);
/// Nothing unless the header is whole and at its place. The body is not looked at.
std::optional<BatchHeader> parse_batch_header(Bytes bytes, std::uint32_t seed);
[[nodiscard]] bool body_is_whole(const BatchHeader& header, Bytes body, std::uint32_t seed);

/// The bytes one event takes in a batch.
std::size_t record_bytes(const event::NewEventView& event);

struct RecordPlace {
  Offset offset;
  Uuid event_id;
  Timestamp time;
};
/// Appends one record to `batch`.
void append_record(Buffer& batch, const event::NewEventView& event, const RecordPlace& place,
                   const Seal& seal);

struct Record {
  event::EventView event;  // views into what was parsed
  std::size_t bytes = 0;   // with the padding
};
/// The record at the start of `bytes`, which may go on behind it. Nothing if it is not whole and
/// right.
std::optional<Record> parse_record(Bytes bytes, Offset offset, const Seal& seal);
/// The same for bytes that were checked before.
Record view_record(const std::byte* bytes, Offset offset);
/// What a record says of its length; 0 where that cannot be. Not covered by a check yet.
std::size_t claimed_record_bytes(Bytes bytes);

struct Footer {
  Offset first;
  Offset end;
  Timestamp first_time;
  Timestamp last_time;
  std::uint64_t batches = 0;
  std::uint64_t segment = 0;
};
/// A whole footer batch but for the header fields that seal_batch() fills in.
void put_footer_body(const Footer& footer, std::span<std::byte> body);
Footer parse_footer_body(Bytes body);

[[nodiscard]] bool all_zero(Bytes bytes);
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t bytes) {
  return (bytes + format::kAlignment - 1) / format::kAlignment * format::kAlignment;
}

}  // namespace vibes::eventlog::file
