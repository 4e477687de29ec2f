// SPDX-License-Identifier: MIT
// A segment with any batches: scanned, searched behind damage, indexed. Every second input has its
// CRCs and chain mended first, so that what lies behind them is reached too.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/file/segment_index.hpp"
#include "eventlog/file/segment_scanner.hpp"
#include "fuzz/fuzz.hpp"
#include "io/sim_disk.hpp"

using namespace vibes;
using namespace vibes::eventlog::file;
namespace format = vibes::eventlog::format;

namespace {

void mend_records(std::byte* body, std::size_t size, Offset first, const Seal& seal) {
  namespace at = format::record;
  for (std::size_t done = 0; done + format::kRecordHeaderBytes <= size; ++first) {
    std::byte* b = body + done;
    const std::size_t used = format::kRecordHeaderBytes +
                             std::size_t{load_le<std::uint16_t>(b + at::kTypeBytes)} +
                             load_le<std::uint16_t>(b + at::kSessionBytes) +
                             load_le<std::uint32_t>(b + at::kPayloadBytes) % 256;
    store_le(b + at::kPayloadBytes, load_le<std::uint32_t>(b + at::kPayloadBytes) % 256);
    if (done + align_up(used) > size) {
      return;
    }
    store_le(b + at::kBytes, static_cast<std::uint32_t>(align_up(used)));
    store_le(b + at::kCrc, crc32c(Bytes(b + at::kEventId, b + used), seal.record(first)));
    done += align_up(used);
  }
}

void mend(Buffer& file, const SegmentHeader& segment) {
  const Seal seal(segment.log_id);
  std::uint32_t chain = segment.crc;
  Offset first = segment.first;
  for (std::size_t at = format::kSegmentHeaderBytes;
       at + format::kBatchHeaderBytes <= file.size();) {
    std::byte* b = file.data() + at;
    const std::size_t room = file.size() - at - format::kBatchHeaderBytes;
    const std::size_t body =
        std::min<std::size_t>(load_le<std::uint32_t>(b + format::batch::kBodyBytes) % 1024, room) /
        8 * 8;
    BatchHeader header;
    header.epoch = 1;
    header.first = first;
    header.count = load_le<std::uint32_t>(b + format::batch::kCount) % 8;
    header.type =
        static_cast<format::BatchType>(1 + load_le<std::uint16_t>(b + format::batch::kType) % 2);
    header.prev_crc = chain;
    mend_records(b + format::kBatchHeaderBytes, body, first, seal);
    seal_batch(header, std::span(b, format::kBatchHeaderBytes + body),
               seal.batch(segment.number, at));
    chain = header.crc;
    first = header.end();
    at += header.bytes();
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  SegmentHeader header;
  header.epoch = 1;
  header.capacity = 1 << 20;
  const SegmentHeaderBlock block = encode(header);
  Buffer bytes(block.begin(), block.end());
  const auto* input = reinterpret_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), input + 1, input + size);
  if ((data[0] & 1U) != 0) {
    mend(bytes, header);
  }
  (void)parse_segment_header(Bytes(input, size));
  io::SimDisk disk;
  disk.set_contents("/a.seg", bytes);
  const auto file = disk.open("/a.seg", io::OpenMode::read_only);
  VIBES_ASSERT(file.has_value());
  SegmentScanner scanner(**file, bytes.size(), header);
  ScannedBatch batch;
  auto found = scanner.next(batch);
  while (found && *found == SegmentScanner::Finding::batch) {
    for_each_record(batch, [](const event::EventView& event, std::uint64_t /*position*/) {
      (void)crc32c(event.payload);
    });
    found = scanner.next(batch);
  }
  if (found && *found == SegmentScanner::Finding::invalid) {
    (void)scanner.find_batch_behind();
    (void)scanner.last_used_byte();
    (void)scanner.skip_damage();
  }
  (void)build_index(**file, bytes.size(), header, "/a.seg");
  return 0;
}
