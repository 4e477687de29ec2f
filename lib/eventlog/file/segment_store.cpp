// SPDX-License-Identifier: MIT
#include "eventlog/file/segment_store.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

constexpr std::size_t kOpenSegmentsMax = 64;

std::optional<Stretch> by_offset(const SparseIndex& index, Offset offset, Timestamp /*time*/) {
  return index.stretch_of(offset);
}

std::optional<Stretch> by_time(const SparseIndex& index, Offset /*offset*/, Timestamp time) {
  return index.stretch_at(time);
}

}  // namespace

SegmentStore::SegmentStore(io::FileSystem& fs, Layout layout, Access access)
    : fs_(fs), layout_(std::move(layout)), access_(access) {}

void SegmentStore::add_sealed(const SegmentInfo& segment) {
  const MutexLock lock(mutex_);
  segments_.push_back(segment);
}

void SegmentStore::add_active(const SegmentInfo& segment, std::shared_ptr<const io::File> file,
                              SparseIndex sparse) {
  const MutexLock lock(mutex_);
  segments_.push_back(segment);
  active_file_ = std::move(file);
  active_sparse_ = std::move(sparse);
}

void SegmentStore::publish(const Progress& progress) {
  const MutexLock lock(mutex_);
  SegmentInfo& active = segments_.back();
  if (active.end == active.header.first) {
    active.first_time = progress.first_time;
  }
  active.end = progress.end;
  active.bytes = progress.bytes;
  active.last_time = progress.last_time;
  for (const SparseEntry& entry : progress.entries) {
    active_sparse_.add(entry);
  }
}

void SegmentStore::seal_active(std::uint32_t footer_crc, std::uint64_t file_bytes) {
  const MutexLock lock(mutex_);
  SegmentInfo& active = segments_.back();
  active.state = SegmentInfo::State::sealed;
  active.footer_crc = footer_crc;
  active.bytes = file_bytes;
  active.file_bytes = file_bytes;
  active_file_.reset();
  active_sparse_ = {};
}

std::vector<SegmentInfo> SegmentStore::drop_before(Offset first) {
  const MutexLock lock(mutex_);
  std::vector<SegmentInfo> dropped;
  while (segments_.size() > 1 && segments_.front().end <= first) {
    dropped.push_back(segments_.front());
    segments_.pop_front();
  }
  cache_.remove_if([&](const Cached& cached) {
    return std::any_of(dropped.begin(), dropped.end(), [&](const SegmentInfo& segment) {
      return segment.header.number == cached.number;
    });
  });
  return dropped;
}

Offset SegmentStore::first() const {
  const MutexLock lock(mutex_);
  return segments_.empty() ? Offset{} : segments_.front().header.first;
}

std::vector<SegmentInfo> SegmentStore::list() const {
  const MutexLock lock(mutex_);
  return {segments_.begin(), segments_.end()};
}

std::uint64_t SegmentStore::bytes() const {
  const MutexLock lock(mutex_);
  std::uint64_t sum = 0;
  for (const SegmentInfo& segment : segments_) {
    sum += segment.file_bytes;
  }
  return sum;
}

std::size_t SegmentStore::count() const {
  const MutexLock lock(mutex_);
  return segments_.size();
}

std::optional<SegmentInfo> SegmentStore::segment_of(Offset offset) const {
  const MutexLock lock(mutex_);
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), offset,
                       [](Offset value, const SegmentInfo& s) { return value < s.end; });
  if (after == segments_.end() || offset < after->header.first) {
    return std::nullopt;
  }
  return *after;
}

std::optional<SegmentInfo> SegmentStore::segment_at(Timestamp time) const {
  const MutexLock lock(mutex_);
  const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const SegmentInfo& s) {
    return s.end > s.header.first && s.last_time >= time;
  });
  return found == segments_.end() ? std::nullopt : std::optional(*found);
}

Result<std::optional<ReadPlace>> SegmentStore::place_of(Offset offset) {
  const auto segment = segment_of(offset);
  if (!segment) {
    return std::optional<ReadPlace>{};
  }
  return place_in(*segment, by_offset, offset, {});
}

Result<std::optional<ReadPlace>> SegmentStore::place_at(Timestamp time) {
  const auto segment = segment_at(time);
  if (!segment) {
    return std::optional<ReadPlace>{};
  }
  return place_in(*segment, by_time, {}, time);
}

Result<std::optional<ReadPlace>> SegmentStore::place_in(
    const SegmentInfo& segment,
    std::optional<Stretch> (*choose)(const SparseIndex&, Offset, Timestamp), Offset offset,
    Timestamp time) {
  {
    const MutexLock lock(mutex_);
    const SegmentInfo& active = segments_.back();
    if (active_file_ && active.header.number == segment.header.number) {
      if (const auto stretch = choose(active_sparse_, offset, time)) {
        return std::optional(ReadPlace{active_file_, active, *stretch});
      }
    }
  }
  // It may have been sealed since `segment` was copied; then the copy's end is still true.
  SegmentInfo sealed = segment;
  if (sealed.state == SegmentInfo::State::active) {
    const auto now = segment_of(segment.header.first);
    if (!now || now->state == SegmentInfo::State::active) {
      return std::optional<ReadPlace>{};
    }
    sealed = *now;
  }
  VIBES_TRY_ASSIGN(loaded, load(sealed));
  const auto stretch = choose(loaded->sparse, offset, time);
  if (!stretch) {
    return fail(Errc::corrupt, layout_.segment(sealed.header.first) + ": its index is empty");
  }
  std::shared_ptr<const io::File> file(loaded, loaded->file.get());
  return std::optional(ReadPlace{std::move(file), sealed, *stretch});
}

bool SegmentStore::may_match(const SegmentInfo& segment, const event::Filter& filter) {
  if (segment.state != SegmentInfo::State::sealed) {
    return true;
  }
  const auto loaded = load(segment);
  return !loaded || (*loaded)->kinds.may_match(filter);
}

Result<std::optional<Offset>> SegmentStore::find_id(const SegmentInfo& segment,
                                                    const Uuid& event_id) {
  const auto to_offset = [&](const std::optional<IdEntry>& entry) {
    return entry ? std::optional(segment.header.first + entry->ahead) : std::nullopt;
  };
  if (segment.state == SegmentInfo::State::sealed) {
    const auto found =
        find_in_index(fs_, layout_.index(segment.header.first), segment.index_owner(), event_id);
    if (found) {
      return to_offset(*found);
    }
  }
  VIBES_TRY_ASSIGN(index, index_of(segment));
  const auto entry = std::find_if(index.ids.begin(), index.ids.end(),
                                  [&](const IdEntry& e) { return e.event_id == event_id; });
  return to_offset(entry == index.ids.end() ? std::nullopt : std::optional(*entry));
}

Result<SegmentIndex> SegmentStore::index_of(const SegmentInfo& segment) {
  const std::string path = layout_.index(segment.header.first);
  const bool sealed = segment.state == SegmentInfo::State::sealed;
  const MutexLock lock(build_mutex_);
  if (sealed) {
    if (auto index = read_index(fs_, path, segment.index_owner(), IndexParts::all)) {
      return *std::move(index);
    }
  }
  const std::string segment_path = layout_.segment(segment.header.first);
  VIBES_TRY_ASSIGN(file, fs_.open(segment_path, io::OpenMode::read_only));
  VIBES_TRY_ASSIGN(index, build_index(*file, segment.bytes, segment.header, segment_path));
  if (sealed && index.footer_crc != segment.footer_crc) {
    return fail(Errc::corrupt, segment_path + ": it is not the segment that was sealed");
  }
  if (sealed && access_ == Access::read_write) {
    // Derived data: a full disk only means that it is built again next time.
    (void)write_index(fs_, path, index);
  }
  return index;
}

void SegmentStore::keep_index(const SegmentInfo& segment, SegmentIndex index) {
  const MutexLock lock(build_mutex_);
  (void)write_index(fs_, layout_.index(segment.header.first), std::move(index));
}

Result<std::shared_ptr<const LoadedSegment>> SegmentStore::load(const SegmentInfo& segment) {
  if (auto loaded = cached(segment.header.number)) {
    return loaded;
  }
  auto loaded = std::make_shared<LoadedSegment>();
  VIBES_TRY_ASSIGN(file, fs_.open(layout_.segment(segment.header.first), io::OpenMode::read_only));
  loaded->file = std::move(file);
  auto index = read_index(fs_, layout_.index(segment.header.first), segment.index_owner(),
                          IndexParts::without_ids);
  if (!index) {
    VIBES_TRY_ASSIGN(built, index_of(segment));
    index = std::move(built);
  }
  loaded->sparse = std::move(index->sparse);
  loaded->kinds = std::move(index->kinds);
  std::shared_ptr<const LoadedSegment> shared = std::move(loaded);
  remember(segment.header.number, shared);
  return shared;
}

std::shared_ptr<const LoadedSegment> SegmentStore::cached(std::uint64_t number) {
  const MutexLock lock(mutex_);
  const auto it = std::find_if(cache_.begin(), cache_.end(),
                               [&](const Cached& entry) { return entry.number == number; });
  if (it == cache_.end()) {
    return nullptr;
  }
  cache_.splice(cache_.begin(), cache_, it);
  return cache_.front().loaded;
}

void SegmentStore::remember(std::uint64_t number, std::shared_ptr<const LoadedSegment> loaded) {
  const MutexLock lock(mutex_);
  cache_.push_front({number, std::move(loaded)});
  if (cache_.size() > kOpenSegmentsMax) {
    cache_.pop_back();
  }
}

}  // namespace vibes::eventlog::file
