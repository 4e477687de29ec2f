// SPDX-License-Identifier: MIT
#include "eventlog/file/segment_index.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/segment_scanner.hpp"
#include "eventlog/id_window.hpp"
#include "io/patient_write.hpp"

namespace vibes::eventlog::file {
namespace {

namespace at = format::index;

struct IndexHeader {
  std::uint64_t count = 0;
  std::uint32_t sparse_count = 0;
  std::uint32_t kind_count = 0;
  std::uint32_t kind_bytes = 0;
  std::uint32_t body_crc = 0;

  [[nodiscard]] std::uint64_t body_bytes() const {
    return std::uint64_t{sparse_count} * format::kSparseEntryBytes + kind_bytes;
  }
  [[nodiscard]] std::uint64_t ids_at() const { return format::kIndexHeaderBytes + body_bytes(); }
  [[nodiscard]] std::uint64_t id_blocks() const {
    return (count + format::kIdsPerBlock - 1) / format::kIdsPerBlock;
  }
};

void put_bytes(Buffer& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

template <class T>
void put(Buffer& to, T value) {
  put_bytes(to, &value, sizeof value);
}

void put_sparse(Buffer& to, const SparseIndex& sparse) {
  for (const SparseEntry& entry : sparse.entries()) {
    put(to, entry.offset.value());
    put(to, entry.time.unix_us);
    put(to, entry.position);
    put(to, entry.batch_end);
  }
}

void put_kinds(Buffer& to, const Kinds& kinds) {
  for (const Kinds::Kind& kind : kinds.list()) {
    put(to, static_cast<std::uint16_t>(kind.type.size()));
    put(to, static_cast<std::uint16_t>(kind.session.size()));
    put_bytes(to, kind.type.data(), kind.type.size());
    put_bytes(to, kind.session.data(), kind.session.size());
  }
}

/// Blocks of kIdsPerBlock entries; the last place of each block holds the CRC of the others.
void put_ids(Buffer& to, const std::vector<IdEntry>& ids) {
  for (std::size_t next = 0; next < ids.size(); next += format::kIdsPerBlock) {
    const std::size_t start = to.size();
    const std::size_t stop = std::min(next + format::kIdsPerBlock, ids.size());
    for (std::size_t i = next; i < stop; ++i) {
      put_bytes(to, ids[i].event_id.bytes.data(), ids[i].event_id.bytes.size());
      put(to, ids[i].fingerprint);
      put(to, ids[i].ahead);
      put(to, std::uint32_t{0});
    }
    to.resize(start + format::kIdBlockBytes - format::kIdEntryBytes);
    const std::uint32_t crc = crc32c(Bytes(to).subspan(start));
    put(to, crc);
    to.resize(start + format::kIdBlockBytes);
  }
}

Buffer encode(const SegmentIndex& index) {
  Buffer out(format::kIndexHeaderBytes);
  out.reserve(format::kIndexHeaderBytes +
              index.sparse.entries().size() * format::kSparseEntryBytes +
              (index.ids.size() / format::kIdsPerBlock + 2) * format::kIdBlockBytes);
  put_sparse(out, index.sparse);
  const std::size_t kinds_at = out.size();
  put_kinds(out, index.kinds);
  const std::size_t body_end = out.size();
  const std::uint32_t body_crc = crc32c(Bytes(out).subspan(format::kIndexHeaderBytes));
  put_ids(out, index.ids);

  std::byte* b = out.data();
  store_le(b + at::kMagic, format::kIndexMagic);
  store_le(b + at::kVersionAt, format::kVersion);
  store_le(b + at::kFooterCrc, index.footer_crc);
  std::memcpy(b + at::kLogId, index.log_id.bytes.data(), index.log_id.bytes.size());
  store_le(b + at::kSegment, index.segment);
  store_le(b + at::kFirst, index.first.value());
  store_le(b + at::kCount, std::uint64_t{index.ids.size()});
  store_le(b + at::kSparseCount, static_cast<std::uint32_t>(index.sparse.entries().size()));
  store_le(b + at::kKindCount, index.kinds.is_unknown()
                                   ? format::kKindsUnknown
                                   : static_cast<std::uint32_t>(index.kinds.list().size()));
  store_le(b + at::kKindBytes, static_cast<std::uint32_t>(body_end - kinds_at));
  store_le(b + at::kBodyCrc, body_crc);
  store_le(b + at::kCrc, crc32c(Bytes(out).first(at::kCrc)));
  return out;
}

std::optional<Buffer> read_exactly(const io::File& file, std::uint64_t position,
                                   std::uint64_t size) {
  Buffer bytes(static_cast<std::size_t>(size));
  const auto got = file.read_at(position, bytes);
  if (!got || *got != size) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<IndexHeader> read_header(const io::File& file, const IndexOwner& owner) {
  const auto bytes = read_exactly(file, 0, format::kIndexHeaderBytes);
  if (!bytes ||
      crc32c(Bytes(*bytes).first(at::kCrc)) != load_le<std::uint32_t>(bytes->data() + at::kCrc)) {
    return std::nullopt;
  }
  const std::byte* b = bytes->data();
  IndexHeader header;
  header.count = load_le<std::uint64_t>(b + at::kCount);
  header.sparse_count = load_le<std::uint32_t>(b + at::kSparseCount);
  header.kind_count = load_le<std::uint32_t>(b + at::kKindCount);
  header.kind_bytes = load_le<std::uint32_t>(b + at::kKindBytes);
  header.body_crc = load_le<std::uint32_t>(b + at::kBodyCrc);
  const bool ours =
      load_le<std::uint64_t>(b + at::kMagic) == format::kIndexMagic &&
      load_le<std::uint32_t>(b + at::kVersionAt) == format::kVersion &&
      load_le<std::uint32_t>(b + at::kFooterCrc) == owner.footer_crc &&
      std::memcmp(b + at::kLogId, owner.log_id.bytes.data(), owner.log_id.bytes.size()) == 0 &&
      load_le<std::uint64_t>(b + at::kSegment) == owner.segment &&
      load_le<std::uint64_t>(b + at::kFirst) == owner.first.value() && header.count == owner.count;
  const auto size = file.size();
  if (!ours || !size || *size != header.ids_at() + header.id_blocks() * format::kIdBlockBytes) {
    return std::nullopt;
  }
  return header;
}

SparseIndex parse_sparse(Bytes bytes) {
  SparseIndex sparse;
  for (; !bytes.empty(); bytes = bytes.subspan(format::kSparseEntryBytes)) {
    SparseEntry entry;
    entry.offset = Offset(load_le<std::uint64_t>(bytes.data()));
    entry.time = Timestamp{load_le<std::int64_t>(bytes.data() + 8)};
    entry.position = load_le<std::uint32_t>(bytes.data() + 16);
    entry.batch_end = load_le<std::uint32_t>(bytes.data() + 20);
    sparse.add(entry);
  }
  return sparse;
}

std::optional<Kinds> parse_kinds(Bytes bytes, std::uint32_t count) {
  if (count == format::kKindsUnknown) {
    return Kinds::unknown();
  }
  const auto take = [&](std::size_t size) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
    return text;
  };
  std::vector<Kinds::Kind> kinds;
  while (bytes.size() >= 4) {
    const auto type_bytes = load_le<std::uint16_t>(bytes.data());
    const auto session_bytes = load_le<std::uint16_t>(bytes.data() + 2);
    bytes = bytes.subspan(4);
    if (bytes.size() < std::size_t{type_bytes} + session_bytes) {
      return std::nullopt;
    }
    Kinds::Kind kind;
    kind.type = take(type_bytes);
    kind.session = take(session_bytes);
    kinds.push_back(std::move(kind));
  }
  if (!bytes.empty() || kinds.size() != count) {
    return std::nullopt;
  }
  return Kinds::of(std::move(kinds));
}

IdEntry parse_id(const std::byte* from) {
  IdEntry entry;
  std::memcpy(entry.event_id.bytes.data(), from, entry.event_id.bytes.size());
  entry.fingerprint = load_le<std::uint64_t>(from + 16);
  entry.ahead = load_le<std::uint32_t>(from + 24);
  return entry;
}

bool id_block_is_whole(Bytes block) {
  const std::size_t used = format::kIdBlockBytes - format::kIdEntryBytes;
  return crc32c(block.first(used)) == load_le<std::uint32_t>(block.data() + used);
}

std::size_t ids_in_block(const IndexHeader& header, std::uint64_t block) {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(format::kIdsPerBlock, header.count - block * format::kIdsPerBlock));
}

std::optional<std::vector<IdEntry>> read_ids(const io::File& file, const IndexHeader& header) {
  const auto bytes =
      read_exactly(file, header.ids_at(), header.id_blocks() * format::kIdBlockBytes);
  if (!bytes) {
    return std::nullopt;
  }
  std::vector<IdEntry> ids;
  ids.reserve(static_cast<std::size_t>(header.count));
  for (std::uint64_t block = 0; block < header.id_blocks(); ++block) {
    const Bytes raw = Bytes(*bytes).subspan(static_cast<std::size_t>(block) * format::kIdBlockBytes,
                                            format::kIdBlockBytes);
    if (!id_block_is_whole(raw)) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < ids_in_block(header, block); ++i) {
      ids.push_back(parse_id(raw.data() + i * format::kIdEntryBytes));
      if (ids.back().ahead >= header.count) {
        return std::nullopt;
      }
    }
  }
  return ids;
}

}  // namespace

void Kinds::add(std::string_view type, std::string_view session) {
  if (unknown_ ||
      (last_ < kinds_.size() && kinds_[last_].type == type && kinds_[last_].session == session)) {
    return;
  }
  Kind kind{std::string(type), std::string(session)};
  auto it = std::lower_bound(kinds_.begin(), kinds_.end(), kind);
  if (it == kinds_.end() || *it != kind) {
    if (kinds_.size() == format::kIndexKindsMax) {
      *this = unknown();
      return;
    }
    it = kinds_.insert(it, std::move(kind));
  }
  last_ = static_cast<std::size_t>(it - kinds_.begin());
}

Kinds Kinds::of(std::vector<Kind> sorted) {
  Kinds kinds;
  kinds.kinds_ = std::move(sorted);
  return kinds;
}

Kinds Kinds::unknown() {
  Kinds kinds;
  kinds.unknown_ = true;
  return kinds;
}

bool Kinds::may_match(const event::Filter& filter) const {
  return unknown_ || std::any_of(kinds_.begin(), kinds_.end(), [&](const Kind& kind) {
           return filter.matches(kind.type, kind.session);
         });
}

Result<SegmentIndex> build_index(const io::File& segment, std::uint64_t bytes,
                                 const SegmentHeader& header, const std::string& path) {
  SegmentIndex index;
  index.log_id = header.log_id;
  index.segment = header.number;
  index.first = header.first;
  IndexDraft draft;
  SegmentScanner scanner(segment, bytes, header);
  ScannedBatch batch;
  while (true) {
    VIBES_TRY_ASSIGN(found, scanner.next(batch));
    if (found == SegmentScanner::Finding::invalid) {
      return fail(Errc::corrupt,
                  path + " at byte " + std::to_string(scanner.position()) + ": " + scanner.why());
    }
    if (found != SegmentScanner::Finding::batch) {
      index.footer_crc = scanner.chain();
      index.kinds = std::move(draft.kinds);
      index.ids = std::move(draft.ids);
      return index;
    }
    index.sparse.note_batch(batch.header.first, batch.header.time, batch.position);
    const std::uint64_t batch_end = batch.position + batch.header.bytes();
    for_each_record(batch, [&](const event::EventView& event, std::uint64_t position) {
      index.sparse.note_record(event.offset, event.time, position, batch_end);
      draft.add(event, IdWindow::fingerprint(event.payload), header.first);
    });
  }
}

Result<void> write_index(io::FileSystem& fs, const std::string& path, SegmentIndex index) {
  const auto by_id = [](const IdEntry& a, const IdEntry& b) {
    return std::tie(a.event_id, a.ahead) < std::tie(b.event_id, b.ahead);
  };
  if (!std::ranges::is_sorted(index.ids, by_id)) {  // the ids that the log gives are
    std::ranges::sort(index.ids, by_id);
  }
  const std::string temporary = path + ".tmp";
  if (auto exists = fs.exists(temporary); exists && *exists) {
    VIBES_TRY(fs.remove(temporary));
  }
  VIBES_TRY_ASSIGN(file, fs.open(temporary, io::OpenMode::create_new));
  VIBES_TRY(io::write_patiently(*file, 0, encode(index)));
  return fs.rename(temporary, path);
}

std::optional<SegmentIndex> read_index(io::FileSystem& fs, const std::string& path,
                                       const IndexOwner& owner, IndexParts parts) {
  auto file = fs.open(path, io::OpenMode::read_only);
  if (!file) {
    return std::nullopt;
  }
  const auto header = read_header(**file, owner);
  if (!header) {
    return std::nullopt;
  }
  const auto body = read_exactly(**file, format::kIndexHeaderBytes, header->body_bytes());
  if (!body || crc32c(*body) != header->body_crc) {
    return std::nullopt;
  }
  const std::size_t sparse_bytes = header->sparse_count * format::kSparseEntryBytes;
  auto kinds = parse_kinds(Bytes(*body).subspan(sparse_bytes), header->kind_count);
  if (!kinds) {
    return std::nullopt;
  }
  SegmentIndex index;
  index.log_id = owner.log_id;
  index.segment = owner.segment;
  index.first = owner.first;
  index.footer_crc = owner.footer_crc;
  index.sparse = parse_sparse(Bytes(*body).first(sparse_bytes));
  index.kinds = *std::move(kinds);
  if (parts == IndexParts::all) {
    auto ids = read_ids(**file, *header);
    if (!ids) {
      return std::nullopt;
    }
    index.ids = *std::move(ids);
  }
  return index;
}

std::optional<std::optional<IdEntry>> find_in_index(io::FileSystem& fs, const std::string& path,
                                                    const IndexOwner& owner, const Uuid& event_id) {
  auto file = fs.open(path, io::OpenMode::read_only);
  if (!file) {
    return std::nullopt;
  }
  const auto header = read_header(**file, owner);
  if (!header) {
    return std::nullopt;
  }
  std::uint64_t low = 0;
  std::uint64_t high = header->id_blocks();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto block = read_exactly(**file, header->ids_at() + middle * format::kIdBlockBytes,
                                    format::kIdBlockBytes);
    if (!block || !id_block_is_whole(*block)) {
      return std::nullopt;
    }
    const std::size_t count = ids_in_block(*header, middle);
    const IdEntry last = parse_id(block->data() + (count - 1) * format::kIdEntryBytes);
    if (last.event_id < event_id) {
      low = middle + 1;
      continue;
    }
    if (event_id < parse_id(block->data()).event_id) {
      high = middle;
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const IdEntry entry = parse_id(block->data() + i * format::kIdEntryBytes);
      if (entry.event_id == event_id) {
        return std::optional(entry);
      }
    }
    return std::optional<IdEntry>{};
  }
  return std::optional<IdEntry>{};
}

}  // namespace vibes::eventlog::file
