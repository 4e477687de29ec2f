// SPDX-License-Identifier: MIT
// Any commit of a group and any DURABLE slot.
#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/file_group_offsets.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;
using namespace vibes::eventlog::file;
namespace format = vibes::eventlog::format;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_slot(std::as_bytes(std::span(bytes)));
  (void)parse_group_file(bytes);
  if (size > format::group::kName) {
    // With its CRC mended: what is accepted comes out as it went in.
    store_le(bytes.data() + format::group::kMagic, format::kGroupMagic);
    store_le(bytes.data() + format::group::kVersionAt, format::kVersion);
    store_le(bytes.data() + format::group::kCrc,
             crc32c(std::string_view(bytes).substr(format::group::kLogId)));
    if (const auto commit = parse_group_file(bytes)) {
      VIBES_ASSERT(encode_group_file(*commit) == bytes);
    }
  }
  return 0;
}
