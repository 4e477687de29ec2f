// SPDX-License-Identifier: MIT
#include "eventlog/file/log_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

constexpr std::uint64_t kWritebackBytes = 4 * limits::kMiB;

bool is_shortage(const std::error_code& code) {
  static constexpr std::array kShortages{ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM};
  return code.category() == std::system_category() &&
         std::find(kShortages.begin(), kShortages.end(), code.value()) != kShortages.end();
}

Unexpected failed(const Error& error) { return fail(Errc::failed, error.message()); }

/// For what may fail for want of space: then nothing was changed that counts.
Unexpected full_or_failed(const Error& error) {
  return is_shortage(error.code) ? fail(Errc::storage_full, error.message()) : failed(error);
}

}  // namespace

LogWriter::LogWriter(io::FileSystem& fs, Layout layout, const Clock& clock, SegmentStore& store,
                     Housekeeper& housekeeper, DurableSlots slots, const WriterOptions& options)
    : fs_(fs),
      layout_(std::move(layout)),
      clock_(clock),
      store_(store),
      housekeeper_(housekeeper),
      slots_(std::move(slots)),
      options_(options) {}

void LogWriter::begin(const Start& start) {
  log_id_ = start.log_id;
  seal_ = Seal(log_id_);
  epoch_ = start.epoch;
  end_ = synced_end_ = start.end;
  if (start.after) {
    next_number_ = start.after->header.number + 1;
    last_footer_crc_ = start.after->footer_crc;
  }
}

void LogWriter::resume(RecoveredLog::Active active) {
  next_number_ = active.info.header.number + 1;
  ActiveFile file;
  file.header = active.info.header;
  file.file = std::move(active.file);
  file.position = file.writeback = active.info.bytes;
  file.chain = active.chain;
  file.batches = active.batches;
  file.end = active.info.end;
  file.first_time = active.info.first_time;
  file.last_time = active.info.last_time;
  file.sparse = active.sparse;
  file.published_entries = file.sparse.entries().size();
  store_.add_active(active.info, file.file, std::move(active.sparse));
  active_ = std::move(file);
}

std::uint64_t LogWriter::capacity_for(std::size_t body_bytes) const {
  const std::uint64_t needed =
      format::kSegmentHeaderBytes + format::kBatchHeaderBytes + body_bytes + format::kFooterBytes;
  return std::max(options_.segment_bytes, needed);
}

bool LogWriter::has_room(std::size_t bytes) const {
  const std::uint64_t needed = format::kBatchHeaderBytes + bytes + format::kFooterBytes;
  return active_ && active_->position + needed <= active_->header.capacity;
}

Result<void> LogWriter::make_room(std::size_t body_bytes) {
  return has_room(body_bytes) ? Result<void>() : open_next(body_bytes);
}

Result<void> LogWriter::open_next(std::size_t body_bytes) {
  // The next segment comes first: a full disk is met here, while the active segment can still be
  // written.
  if (!next_file_) {
    auto next = housekeeper_.take(capacity_for(body_bytes));
    if (!next) {
      return full_or_failed(next.error());
    }
    next_file_ = std::move(*next);
  } else if (auto grown = next_file_->allocate(capacity_for(body_bytes)); !grown) {
    return full_or_failed(grown.error());
  }
  if (active_) {
    VIBES_TRY(seal());
  }
  return create_segment(body_bytes);
}

Result<void> LogWriter::seal() {
  std::array<std::byte, format::kFooterBytes> bytes{};
  Footer footer;
  footer.first = active_->header.first;
  footer.end = end_;
  footer.first_time = active_->first_time;
  footer.last_time = active_->last_time;
  footer.batches = active_->batches;
  footer.segment = active_->header.number;
  put_footer_body(footer, std::span(bytes).subspan(format::kBatchHeaderBytes));
  BatchHeader header;
  header.type = format::BatchType::footer;
  header.time = active_->last_time;
  if (auto written = write_batch(header, bytes); !written) {
    if (written.error().code != Errc::storage_full) {
      return written;
    }
    VIBES_TRY(take_back());
    return written;
  }
  housekeeper_.zeros_ahead().stop();
  if (auto cut = active_->file->truncate(active_->position); !cut) {
    return failed(cut.error());
  }
  VIBES_TRY(sync());
  last_footer_crc_ = header.crc;
  store_.seal_active(header.crc, active_->position);
  auto index = take_index(header.crc);
  active_.reset();
  housekeeper_.index(store_.list().back(), std::move(index));
  return {};
}

std::optional<SegmentIndex> LogWriter::take_index(std::uint32_t footer_crc) {
  if (!active_->draft) {
    return std::nullopt;
  }
  SegmentIndex index;
  index.log_id = log_id_;
  index.segment = active_->header.number;
  index.first = active_->header.first;
  index.footer_crc = footer_crc;
  index.sparse = std::move(active_->sparse);
  index.kinds = std::move(active_->draft->kinds);
  index.ids = std::move(active_->draft->ids);
  return index;
}

Result<void> LogWriter::create_segment(std::size_t body_bytes) {
  SegmentHeader header;
  header.log_id = log_id_;
  header.number = next_number_;
  header.first = end_;
  header.epoch = epoch_;
  header.capacity = capacity_for(body_bytes);
  header.created = clock_.now();
  header.prev_crc = last_footer_crc_;
  const SegmentHeaderBlock block = encode(header);
  if (auto written = next_file_->write_at(0, block); !written) {
    return full_or_failed(written.error());
  }
  // The header is on disk before the file gets its name, and the name before the first event: a
  // segment that exists is whole, and an event that was acknowledged is in a file that can be
  // found.
  if (auto synced = next_file_->sync_data(); !synced) {
    return failed(synced.error());
  }
  if (auto named = fs_.rename(layout_.next_segment(), layout_.segment(header.first)); !named) {
    return full_or_failed(named.error());
  }
  if (auto synced = fs_.sync_directory(layout_.segments()); !synced) {
    return failed(synced.error());
  }
  ++next_number_;
  ActiveFile file;
  file.header = header;
  file.file = std::move(next_file_);
  file.position = file.writeback = format::kSegmentHeaderBytes;
  file.chain = header.crc;
  file.end = end_;
  file.draft.emplace();
  SegmentInfo info;
  info.header = header;
  info.end = end_;
  info.bytes = file.position;
  info.file_bytes = header.capacity;
  store_.add_active(info, file.file, {});
  active_ = std::move(file);
  prepare_next();
  if (auto marked = mark(format::SlotState::open);
      !marked && marked.error().code != Errc::storage_full) {
    return marked;
  }
  return {};
}

void LogWriter::prepare_next() {
  housekeeper_.prepare(options_.segment_bytes,
                       options_.syncs_each_batch ? Blocks::written : Blocks::reserved);
}

void LogWriter::fill_active() {
  if (active_ && options_.syncs_each_batch) {
    housekeeper_.fill_active(layout_.segment(active_->header.first), active_->position,
                             active_->header.capacity);
  }
}

Result<void> LogWriter::write_batch(BatchHeader& header, std::span<std::byte> batch) {
  header.epoch = epoch_;
  header.first = end_;
  header.prev_crc = active_->chain;
  header.durable_before = synced_end_;
  seal_batch(header, batch, seal_.batch(active_->header.number, active_->position));
  VIBES_ASSERT(active_->position + batch.size() <= active_->header.capacity);
  before_ = Before{active_->position, active_->chain, active_->last_time,
                   active_->sparse.entries().size()};
  housekeeper_.zeros_ahead().make_way(active_->position + batch.size());
  if (auto written = active_->file->write_at(active_->position, batch); !written) {
    return full_or_failed(written.error());
  }
  unsynced_ = true;
  active_->position += batch.size();
  active_->chain = header.crc;
  begin_writeback();
  return {};
}

/// Where nobody waits for the disk a whole segment would be left for the sync that seals it, and
/// all appends would wait for that.
void LogWriter::begin_writeback() {
  if (!options_.syncs_each_batch && active_->position - active_->writeback >= kWritebackBytes) {
    active_->file->begin_writeback(active_->writeback, active_->position - active_->writeback);
    active_->writeback = active_->position;
  }
}

Result<void> LogWriter::write(std::span<std::byte> batch, const Records& records, Timestamp time) {
  const auto positions = records.positions;
  BatchHeader header;
  header.count = static_cast<std::uint32_t>(positions.size());
  header.time = time;
  VIBES_TRY(write_batch(header, batch));
  ActiveFile& active = *active_;
  const std::uint64_t start = before_.position;
  active.sparse.note_batch(header.first, time, start);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    active.sparse.note_record(header.first + i, time, start + positions[i], active.position);
  }
  if (active.batches++ == 0) {
    active.first_time = time;
  }
  active.last_time = time;
  note_records(batch, records, header.first);
  end_ = header.end();
  active.end = end_;
  return {};
}

void LogWriter::note_records(std::span<const std::byte> batch, const Records& records,
                             Offset first) {
  if (!active_->draft) {
    return;
  }
  for (std::size_t i = 0; i < records.positions.size(); ++i) {
    const Record record = view_record(batch.data() + records.positions[i], first + i);
    active_->draft->add(record.event, records.fingerprints[i], active_->header.first);
  }
}

Result<void> LogWriter::take_back() {
  // A short write may have left a torn batch. It must be gone for good before anyone hears that
  // nothing was written.
  housekeeper_.zeros_ahead().stop();
  if (auto cut = active_->file->truncate(before_.position); !cut) {
    return failed(cut.error());
  }
  active_->position = before_.position;
  active_->chain = before_.chain;
  active_->last_time = before_.last_time;
  active_->sparse.cut(before_.entries);
  active_->draft.reset();  // it may know what is gone
  return sync();
}

Result<void> LogWriter::sync() {
  if (active_) {
    if (auto synced = active_->file->sync_data(); !synced) {
      return failed(synced.error());
    }
  }
  unsynced_ = false;
  synced_end_ = end_;
  return {};
}

void LogWriter::publish() {
  if (!active_) {
    return;
  }
  const auto& entries = active_->sparse.entries();
  SegmentStore::Progress progress;
  progress.end = end_;
  progress.bytes = active_->position;
  progress.first_time = active_->first_time;
  progress.last_time = active_->last_time;
  progress.entries.assign(entries.begin() + static_cast<std::ptrdiff_t>(active_->published_entries),
                          entries.end());
  active_->published_entries = entries.size();
  store_.publish(progress);
}

Result<void> LogWriter::mark(format::SlotState state) { return mark_with(state, store_.first()); }

Result<void> LogWriter::mark_with(format::SlotState state, Offset first) {
  VIBES_ASSERT(!unsynced_);
  if (!active_ && store_.count() == 0) {
    return {};  // nothing to vouch for yet
  }
  DurableMark mark;
  mark.log_id = log_id_;
  mark.segment = active_ ? active_->header.number : next_number_ - 1;
  mark.position = active_ ? active_->position : 0;
  mark.end = end_;
  mark.epoch = epoch_;
  mark.first = first;
  mark.written = clock_.now();
  mark.state = state;
  mark.syncs_each_batch = options_.syncs_each_batch;
  if (auto written = slots_.write(mark); !written) {
    return full_or_failed(written.error());
  }
  marked_end_ = end_;
  return {};
}

Result<void> LogWriter::reserve_active() {
  if (active_) {
    if (auto kept = active_->file->allocate(active_->header.capacity); !kept) {
      return full_or_failed(kept.error());
    }
  }
  return {};
}

Result<void> LogWriter::reserve() {
  VIBES_TRY(reserve_active());
  if (!next_file_) {
    auto next = housekeeper_.take(options_.segment_bytes);
    if (!next) {
      return full_or_failed(next.error());
    }
    next_file_ = std::move(*next);
  }
  return {};
}

Result<void> LogWriter::drop_before(Offset first) {
  // What is kept is written down first: files that are missing then are known to have been removed
  // by us.
  const auto segments = store_.list();
  const auto kept = std::find_if(segments.begin(), segments.end() - 1,
                                 [&](const SegmentInfo& segment) { return segment.end > first; });
  if (kept == segments.begin()) {
    return {};
  }
  VIBES_TRY(mark_with(format::SlotState::open, kept->header.first));
  for (const SegmentInfo& segment : store_.drop_before(kept->header.first)) {
    if (auto removed = fs_.remove(layout_.segment(segment.header.first)); !removed) {
      return failed(removed.error());
    }
    (void)fs_.remove(layout_.index(segment.header.first));  // it may never have been built
  }
  if (auto synced = fs_.sync_directory(layout_.segments()); !synced) {
    return failed(synced.error());
  }
  return {};
}

}  // namespace vibes::eventlog::file
