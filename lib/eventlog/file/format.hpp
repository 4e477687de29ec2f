// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.hpp"

/// The constants of the log's files, version 1. docs/log-format.md explains them and gives an
/// example. All integers are little-endian. Each magic number holds the byte 0xff, which no UTF-8
/// text contains, so that no payload can look like one of our headers.
namespace vibes::eventlog::format {

inline constexpr std::uint32_t kVersion = 1;
/// Bits 0-15 of the flags: who does not know one of them must not read on. Bits 16-31 may be
/// ignored.
inline constexpr std::uint32_t kIncompatibleMask = 0x0000ffff;
inline constexpr std::uint32_t kIncompatibleKnown = 0;

/// Positions in a segment are kept in 32 bits.
inline constexpr std::uint64_t kSegmentBytesMax = 1 * limits::kGiB;

// Segment header: one block at the start of each segment.
inline constexpr std::uint64_t kSegmentMagic = 0x3147'4553'ff53'4256;  // "VBS\xffSEG1"
inline constexpr std::size_t kSegmentHeaderBytes = 4096;
namespace segment {
inline constexpr std::size_t kMagic = 0;      // u64
inline constexpr std::size_t kVersionAt = 8;  // u32
inline constexpr std::size_t kFlags = 12;     // u32
inline constexpr std::size_t kLogId = 16;     // 16 bytes
inline constexpr std::size_t kNumber = 32;    // u64, counts from 0
inline constexpr std::size_t kFirst = 40;     // u64, offset of its first event
inline constexpr std::size_t kEpoch = 48;     // u64
inline constexpr std::size_t kCapacity =
    56;  // u64, bytes the file was made for; it is never longer
inline constexpr std::size_t kCreatedUs = 64;  // i64
inline constexpr std::size_t kPrevCrc = 72;  // u32, header CRC of the footer before; 0 for number 0
inline constexpr std::size_t kCrc = 4092;    // u32, of everything before it
}  // namespace segment

// Batch header.
inline constexpr std::uint32_t kBatchMagic = 0x31ff'4256;  // "VB\xff1"
inline constexpr std::size_t kBatchHeaderBytes = 64;
inline constexpr std::size_t kAlignment = 8;  // of batches in a segment and records in a batch
namespace batch {
inline constexpr std::size_t kMagic = 0;       // u32
inline constexpr std::size_t kHeaderCrc = 4;   // u32, of bytes 8 to 63
inline constexpr std::size_t kBodyCrc = 8;     // u32
inline constexpr std::size_t kBodyBytes = 12;  // u32
inline constexpr std::size_t kEpoch = 16;      // u64
inline constexpr std::size_t kFirst = 24;      // u64, offset of its first event
inline constexpr std::size_t kCount = 32;      // u32
inline constexpr std::size_t kFlags = 36;      // u16, incompatible; none yet
inline constexpr std::size_t kType = 38;       // u16, BatchType
inline constexpr std::size_t kPrevCrc = 40;    // u32, header CRC of the batch (or segment) before
inline constexpr std::size_t kReserved = 44;   // u32, 0
inline constexpr std::size_t kDurableBefore =
    48;                                     // u64, offsets below were durable when this was written
inline constexpr std::size_t kTimeUs = 56;  // i64
}  // namespace batch

/// 0 is what preallocated space looks like.
enum class BatchType : std::uint16_t { events = 1, footer = 2 };

/// The largest body: a full append, its record headers, types and sessions.
inline constexpr std::size_t kBodyBytesMax = 32 * limits::kMiB;

// Record: header, type, session, payload, zeros up to the next multiple of kAlignment.
inline constexpr std::size_t kRecordHeaderBytes = 40;
namespace record {
inline constexpr std::size_t kBytes = 0;          // u32, all of it with the padding
inline constexpr std::size_t kCrc = 4;            // u32, of bytes 8 to the end without the padding
inline constexpr std::size_t kEventId = 8;        // 16 bytes
inline constexpr std::size_t kTimeUs = 24;        // i64
inline constexpr std::size_t kTypeBytes = 32;     // u16
inline constexpr std::size_t kSessionBytes = 34;  // u16
inline constexpr std::size_t kPayloadBytes = 36;  // u32
}  // namespace record

static_assert(kBodyBytesMax >=
                  limits::kBatchBytesMax +
                      limits::kBatchEventsMax * (kRecordHeaderBytes + kAlignment +
                                                 limits::kTypeBytesMax + limits::kSessionBytesMax),
              "the largest append must fit into one batch");

// Footer body: what a sealed segment holds.
inline constexpr std::size_t kFooterBodyBytes = 64;
namespace footer {
inline constexpr std::size_t kFirst = 0;         // u64
inline constexpr std::size_t kEnd = 8;           // u64
inline constexpr std::size_t kFirstTimeUs = 16;  // i64
inline constexpr std::size_t kLastTimeUs = 24;   // i64
inline constexpr std::size_t kBatches = 32;      // u64
inline constexpr std::size_t kSegment = 40;      // u64, its number
}  // namespace footer
inline constexpr std::size_t kFooterBytes = kBatchHeaderBytes + kFooterBodyBytes;

// DURABLE: two slots, written in turn; the valid one of the higher generation counts.
inline constexpr std::uint64_t kSlotMagic = 0x3152'5544'ff53'4256;  // "VBS\xffDUR1"
inline constexpr std::size_t kSlotBytes = 4096;
namespace slot {
inline constexpr std::size_t kMagic = 0;        // u64
inline constexpr std::size_t kVersionAt = 8;    // u32
inline constexpr std::size_t kFlags = 12;       // u32, as in the segment header
inline constexpr std::size_t kLogId = 16;       // 16 bytes
inline constexpr std::size_t kGeneration = 32;  // u64
inline constexpr std::size_t kSegment = 40;     // u64, number of the segment being written
inline constexpr std::size_t kPosition = 48;    // u64, byte in it where the next batch goes
inline constexpr std::size_t kEnd = 56;         // u64, offsets below are durable
inline constexpr std::size_t kEpoch = 64;       // u64
inline constexpr std::size_t kFirst = 72;       // u64, the oldest offset kept
inline constexpr std::size_t kWrittenUs = 80;   // i64
inline constexpr std::size_t kState = 88;       // u32, SlotState
inline constexpr std::size_t kSyncs = 92;       // u32, 1: every batch is synced before the next
inline constexpr std::size_t kCrc = 4092;       // u32, of everything before it
}  // namespace slot

enum class SlotState : std::uint32_t { open = 1, closed = 2 };

// offsets/GROUP.group: one consumer group.
inline constexpr std::uint64_t kGroupMagic = 0x3150'5247'ff53'4256;  // "VBS\xffGRP1"
namespace group {
inline constexpr std::size_t kMagic = 0;       // u64
inline constexpr std::size_t kVersionAt = 8;   // u32
inline constexpr std::size_t kCrc = 12;        // u32, of bytes 16 to the end
inline constexpr std::size_t kLogId = 16;      // 16 bytes
inline constexpr std::size_t kNext = 32;       // u64
inline constexpr std::size_t kNameBytes = 40;  // u32
inline constexpr std::size_t kName = 44;       // the group's name
}  // namespace group

// NNN.idx: derived from the segment of the same name, dropped and rebuilt on any doubt.
inline constexpr std::uint64_t kIndexMagic = 0x3158'4449'ff53'4256;  // "VBS\xffIDX1"
inline constexpr std::size_t kIndexHeaderBytes = 128;
inline constexpr std::size_t kIndexEvery = 64 * limits::kKiB;  // segment bytes per sparse entry
inline constexpr std::size_t kIdBlockBytes = 4096;
inline constexpr std::size_t kIdEntryBytes = 32;
inline constexpr std::size_t kIdsPerBlock =
    kIdBlockBytes / kIdEntryBytes - 1;  // the last place: CRC
inline constexpr std::size_t kIndexKindsMax = 4'096;
namespace index {
inline constexpr std::size_t kMagic = 0;         // u64
inline constexpr std::size_t kVersionAt = 8;     // u32
inline constexpr std::size_t kFooterCrc = 12;    // u32, header CRC of the segment's footer
inline constexpr std::size_t kLogId = 16;        // 16 bytes
inline constexpr std::size_t kSegment = 32;      // u64
inline constexpr std::size_t kFirst = 40;        // u64
inline constexpr std::size_t kCount = 48;        // u64, events = ids
inline constexpr std::size_t kSparseCount = 56;  // u32
inline constexpr std::size_t kKindCount = 60;    // u32; kKindsUnknown: too many to list
inline constexpr std::size_t kKindBytes = 64;    // u32
inline constexpr std::size_t kBodyCrc = 68;      // u32, of the sparse entries and the kinds
inline constexpr std::size_t kCrc = 124;         // u32, of the header before it
}  // namespace index
inline constexpr std::uint32_t kKindsUnknown = 0xffffffff;
inline constexpr std::size_t kSparseEntryBytes = 24;

}  // namespace vibes::eventlog::format
