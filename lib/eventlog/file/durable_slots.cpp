// SPDX-License-Identifier: MIT
#include "eventlog/file/durable_slots.hpp"

#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/layout.hpp"

namespace vibes::eventlog::file {

namespace at = format::slot;

SlotBlock encode(const DurableMark& mark) {
  SlotBlock block{};
  std::byte* b = block.data();
  store_le(b + at::kMagic, format::kSlotMagic);
  store_le(b + at::kVersionAt, format::kVersion);
  std::memcpy(b + at::kLogId, mark.log_id.bytes.data(), mark.log_id.bytes.size());
  store_le(b + at::kGeneration, mark.generation);
  store_le(b + at::kSegment, mark.segment);
  store_le(b + at::kPosition, mark.position);
  store_le(b + at::kEnd, mark.end.value());
  store_le(b + at::kEpoch, mark.epoch);
  store_le(b + at::kFirst, mark.first.value());
  store_le(b + at::kWrittenUs, mark.written.unix_us);
  store_le(b + at::kState, static_cast<std::uint32_t>(mark.state));
  store_le(b + at::kSyncs, std::uint32_t{mark.syncs_each_batch ? 1U : 0U});
  store_le(b + at::kCrc, crc32c(std::span(block).first(at::kCrc)));
  return block;
}

Result<std::optional<DurableMark>> parse_slot(Bytes block) {
  std::optional<DurableMark> mark;
  if (block.size() < format::kSlotBytes) {
    return mark;
  }
  const std::byte* b = block.data();
  if (load_le<std::uint32_t>(b + at::kCrc) != crc32c(block.first(at::kCrc)) ||
      load_le<std::uint64_t>(b + at::kMagic) != format::kSlotMagic) {
    return mark;
  }
  const auto version = load_le<std::uint32_t>(b + at::kVersionAt);
  const auto flags = load_le<std::uint32_t>(b + at::kFlags) & format::kIncompatibleMask;
  if (version != format::kVersion || (flags & ~format::kIncompatibleKnown) != 0) {
    return fail(Errc::unsupported_format, "DURABLE of format " + std::to_string(version));
  }
  mark.emplace();
  std::memcpy(mark->log_id.bytes.data(), b + at::kLogId, mark->log_id.bytes.size());
  mark->generation = load_le<std::uint64_t>(b + at::kGeneration);
  mark->segment = load_le<std::uint64_t>(b + at::kSegment);
  mark->position = load_le<std::uint64_t>(b + at::kPosition);
  mark->end = Offset(load_le<std::uint64_t>(b + at::kEnd));
  mark->epoch = load_le<std::uint64_t>(b + at::kEpoch);
  mark->first = Offset(load_le<std::uint64_t>(b + at::kFirst));
  mark->written = Timestamp{load_le<std::int64_t>(b + at::kWrittenUs)};
  mark->state = static_cast<format::SlotState>(load_le<std::uint32_t>(b + at::kState));
  mark->syncs_each_batch = load_le<std::uint32_t>(b + at::kSyncs) == 1;
  return mark;
}

Result<std::optional<DurableMark>> read_durable_mark(io::FileSystem& fs, const std::string& path) {
  std::optional<DurableMark> newest;
  VIBES_TRY_ASSIGN(exists, fs.exists(path));
  if (!exists) {
    return newest;
  }
  VIBES_TRY_ASSIGN(file, fs.open(path, io::OpenMode::read_only));
  for (std::uint64_t slot = 0; slot < 2; ++slot) {
    SlotBlock block{};
    VIBES_TRY_ASSIGN(got, file->read_at(slot * format::kSlotBytes, block));
    VIBES_TRY_ASSIGN(mark, parse_slot(Bytes(block).first(got)));
    if (mark && (!newest || mark->generation > newest->generation)) {
      newest = mark;
    }
  }
  return newest;
}

DurableSlots::DurableSlots(io::FileSystem& fs, std::string directory,
                           std::unique_ptr<io::File> file, std::uint64_t generation, bool created)
    : fs_(&fs),
      directory_(std::move(directory)),
      file_(std::move(file)),
      generation_(generation),
      created_(created) {}

Result<DurableSlots> DurableSlots::open(io::FileSystem& fs, const std::string& directory,
                                        std::uint64_t generation) {
  const std::string path = Layout(directory).durable();
  VIBES_TRY_ASSIGN(exists, fs.exists(path));
  VIBES_TRY_ASSIGN(file,
                   fs.open(path, exists ? io::OpenMode::read_write : io::OpenMode::create_new));
  return DurableSlots(fs, directory, std::move(file), generation, !exists);
}

Result<void> DurableSlots::write(DurableMark mark) {
  mark.generation = ++generation_;
  const SlotBlock block = encode(mark);
  VIBES_TRY(file_->write_at((generation_ % 2) * format::kSlotBytes, block));
  // A failed sync is never a mere shortage of space, whatever its errno.
  if (auto synced = file_->sync_data(); !synced) {
    return fail(Errc::failed, synced.error().message());
  }
  if (std::exchange(created_, false)) {
    if (auto synced = fs_->sync_directory(directory_); !synced) {
      return fail(Errc::failed, synced.error().message());
    }
  }
  return {};
}

}  // namespace vibes::eventlog::file
