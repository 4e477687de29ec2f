// SPDX-License-Identifier: MIT
// Any index file, with its CRCs mended for every second input: read, and searched for an id.
#include <cstdint>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/file/segment_index.hpp"
#include "fuzz/fuzz.hpp"
#include "io/sim_disk.hpp"

using namespace vibes;
using namespace vibes::eventlog::file;
namespace format = vibes::eventlog::format;

namespace {

void mend(Buffer& bytes) {
  namespace at = format::index;
  if (bytes.size() < format::kIndexHeaderBytes) {
    return;
  }
  std::byte* b = bytes.data();
  store_le(b + at::kMagic, format::kIndexMagic);
  store_le(b + at::kVersionAt, format::kVersion);
  const std::uint64_t body =
      std::uint64_t{load_le<std::uint32_t>(b + at::kSparseCount)} * format::kSparseEntryBytes +
      load_le<std::uint32_t>(b + at::kKindBytes);
  if (body <= bytes.size() - format::kIndexHeaderBytes) {
    const Bytes all = Bytes(bytes).subspan(format::kIndexHeaderBytes);
    store_le(b + at::kBodyCrc, crc32c(all.first(static_cast<std::size_t>(body))));
  }
  store_le(b + at::kCrc, crc32c(Bytes(bytes).first(at::kCrc)));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto* input = reinterpret_cast<const std::byte*>(data);
  Buffer bytes(input + 1, input + size);
  if ((data[0] & 1U) != 0) {
    mend(bytes);
  }
  IndexOwner owner;
  if (bytes.size() >= format::kIndexHeaderBytes) {
    // The owner the header names, so that the rest is looked at.
    owner.segment = load_le<std::uint64_t>(bytes.data() + format::index::kSegment);
    owner.first = Offset(load_le<std::uint64_t>(bytes.data() + format::index::kFirst));
    owner.count = load_le<std::uint64_t>(bytes.data() + format::index::kCount);
    owner.footer_crc = load_le<std::uint32_t>(bytes.data() + format::index::kFooterCrc);
    std::memcpy(owner.log_id.bytes.data(), bytes.data() + format::index::kLogId, 16);
  }
  io::SimDisk disk;
  disk.set_contents("/a.idx", bytes);
  (void)read_index(disk, "/a.idx", owner, IndexParts::without_ids);
  (void)read_index(disk, "/a.idx", owner, IndexParts::all);
  (void)find_in_index(disk, "/a.idx", owner, Uuid{});
  return 0;
}
