// SPDX-License-Identifier: MIT
#include "eventlog/file/recovery.hpp"

#include <algorithm>
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/file/segment_scanner.hpp"
#include "eventlog/id_window.hpp"

namespace vibes::eventlog::file {
namespace {

Unexpected corrupt(const std::string& path, std::uint64_t at, const std::string& why) {
  return fail(Errc::corrupt, path + " at byte " + std::to_string(at) + ": " + why);
}

Error with_path(Error error, const std::string& path) {
  error.context = path + ": " + error.context;
  return error;
}

Result<void> check_blank_behind(SegmentScanner& scanner, const std::string& path) {
  VIBES_TRY_ASSIGN(last, scanner.last_used_byte());
  if (last >= scanner.position()) {
    return corrupt(path, scanner.position(), "there is something behind the footer");
  }
  return {};
}

class Recovery {
 public:
  Recovery(io::FileSystem& fs, const Layout& layout, RecoveryMode mode)
      : fs_(fs), layout_(layout), mode_(mode) {}

  Result<RecoveredLog> run() {
    VIBES_TRY(read_mark());
    VIBES_TRY(list_segments());
    for (std::size_t i = 0; i + 1 < names_.size(); ++i) {
      VIBES_TRY(take_sealed(names_[i]));
    }
    if (!names_.empty()) {
      VIBES_TRY(take_last(names_.back()));
    }
    VIBES_TRY(check_against_mark());
    return std::move(log_);
  }

 private:
  Result<void> read_mark();
  Result<void> list_segments();
  Result<SegmentHeader> read_header(const io::File& file, Offset first);
  Result<void> check_link(const SegmentHeader& header, const std::string& path) const;
  Result<void> take_sealed(Offset first);
  Result<bool> find_footer(const io::File& file, SegmentInfo& info, const std::string& path);
  Result<bool> footer_at(const io::File& file, std::uint64_t position, SegmentInfo& info);
  Result<void> take_last(Offset first);
  Result<void> scan_last(SegmentInfo info, std::unique_ptr<io::File> file, const std::string& path);
  Result<void> judge_tail(SegmentScanner& scanner, io::File& file, SegmentInfo& info,
                          const std::string& path);
  Result<void> prove_torn(SegmentScanner& scanner, const SegmentInfo& info, std::uint64_t last_used,
                          const std::string& path);
  Result<void> drop_torn_creation(const io::File& file, Offset first, const std::string& path);
  Result<void> check_against_mark();
  void adopt(const SegmentInfo& info);
  void report(const std::string& line) { log_.report += (log_.report.empty() ? "" : "; ") + line; }
  [[nodiscard]] bool repairing() const { return mode_ == RecoveryMode::repair; }

  io::FileSystem& fs_;
  const Layout& layout_;
  const RecoveryMode mode_;
  std::optional<DurableMark> mark_;
  std::vector<Offset> names_;
  std::uint32_t last_footer_crc_ = 0;
  RecoveredLog log_;
};

Result<void> Recovery::read_mark() {
  VIBES_TRY_ASSIGN(exists, fs_.exists(layout_.durable()));
  if (exists && repairing()) {
    // What a failed sync left in the page cache must not be believed.
    VIBES_TRY_ASSIGN(file, fs_.open(layout_.durable(), io::OpenMode::read_write));
    VIBES_TRY(file->sync_data());
    VIBES_TRY(file->drop_cache());
  }
  VIBES_TRY_ASSIGN(mark, read_durable_mark(fs_, layout_.durable()));
  mark_ = mark;
  if (mark_) {
    log_.generation = mark_->generation;
    log_.epoch = mark_->epoch;
    log_.synced_each_batch = mark_->syncs_each_batch;
    log_.was_closed = mark_->state == format::SlotState::closed;
    if (!log_.was_closed) {
      report("the last stop was not clean");
    }
  }
  return {};
}

Result<void> Recovery::list_segments() {
  VIBES_TRY_ASSIGN(exists, fs_.exists(layout_.segments()));
  if (exists) {
    VIBES_TRY_ASSIGN(names, fs_.list(layout_.segments()));
    for (const std::string& name : names) {
      if (const auto first = Layout::parse_segment_name(name)) {
        names_.push_back(*first);
      }
    }
  }
  if (names_.empty()) {
    return {};
  }
  if (!mark_) {
    report("DURABLE is missing or damaged: what it vouched for cannot be checked");
    return {};
  }
  // Retention writes the new first offset before it removes files; a crash in between is finished
  // here.
  while (names_.size() > 1 && names_[1] <= mark_->first) {
    if (repairing()) {
      VIBES_TRY(fs_.remove(layout_.segment(names_[0])));
      (void)fs_.remove(layout_.index(names_[0]));  // it may never have been built
    }
    names_.erase(names_.begin());
  }
  if (names_[0] > mark_->first) {
    return corrupt(layout_.segment(mark_->first), 0,
                   "the segment is missing; the oldest one found starts at offset " +
                       std::to_string(names_[0].value()));
  }
  return {};
}

Result<SegmentHeader> Recovery::read_header(const io::File& file, Offset first) {
  SegmentHeaderBlock block{};
  VIBES_TRY_ASSIGN(got, file.read_at(0, block));
  VIBES_TRY_ASSIGN(header, parse_segment_header(Bytes(block).first(got)));
  if (header.first != first) {
    return fail(Errc::corrupt, "the header is of the segment that starts at offset " +
                                   std::to_string(header.first.value()));
  }
  return header;
}

Result<void> Recovery::check_link(const SegmentHeader& header, const std::string& path) const {
  const std::optional<Uuid> log_id = log_.log_id ? log_.log_id
                                     : mark_     ? std::optional(mark_->log_id)
                                                 : std::nullopt;
  if (log_id && *log_id != header.log_id) {
    return corrupt(
        path, format::segment::kLogId,
        "a segment of the log " + to_string(header.log_id) + ", not of " + to_string(*log_id));
  }
  if (log_.sealed.empty()) {
    return {};
  }
  const SegmentInfo& before = log_.sealed.back();
  if (before.end != header.first || before.header.number + 1 != header.number) {
    return corrupt(path, format::segment::kFirst,
                   "it does not follow the segment before it, which ends at offset " +
                       std::to_string(before.end.value()));
  }
  if (header.prev_crc != last_footer_crc_ || header.epoch < before.header.epoch) {
    return corrupt(path, format::segment::kPrevCrc,
                   "the segment before it is not the one it was written after");
  }
  return {};
}

void Recovery::adopt(const SegmentInfo& info) {
  log_.log_id = info.header.log_id;
  if (log_.sealed.empty()) {
    log_.first = info.header.first;
  }
  log_.end = info.end;
  log_.epoch = std::max(log_.epoch, info.header.epoch);
  log_.last_time = std::max(log_.last_time, info.last_time);
}

Result<void> Recovery::take_sealed(Offset first) {
  const std::string path = layout_.segment(first);
  VIBES_TRY_ASSIGN(file, fs_.open(path, io::OpenMode::read_only));
  auto header = read_header(*file, first);
  if (!header) {
    return fail(with_path(std::move(header).error(), path + " at byte 0"));
  }
  VIBES_TRY(check_link(*header, path));
  SegmentInfo info;
  info.header = *header;
  VIBES_TRY_ASSIGN(sealed, find_footer(*file, info, path));
  if (!sealed) {
    return corrupt(path, info.bytes, "it ends without a footer although a segment follows");
  }
  adopt(info);
  last_footer_crc_ = info.footer_crc;
  log_.sealed.push_back(info);
  return {};
}

Result<bool> Recovery::find_footer(const io::File& file, SegmentInfo& info,
                                   const std::string& path) {
  VIBES_TRY_ASSIGN(size, file.size());
  info.file_bytes = size;
  if (size >= format::kSegmentHeaderBytes + format::kFooterBytes &&
      size % format::kAlignment == 0) {
    VIBES_TRY_ASSIGN(found, footer_at(file, size - format::kFooterBytes, info));
    if (found) {
      return true;
    }
  }
  // A crash can undo the cut behind the footer: then only a scan finds it.
  SegmentScanner scanner(file, size, info.header);
  ScannedBatch batch;
  auto finding = SegmentScanner::Finding::batch;
  while (finding == SegmentScanner::Finding::batch) {
    VIBES_TRY_ASSIGN(next, scanner.next(batch));
    finding = next;
  }
  info.bytes = scanner.position();
  if (finding == SegmentScanner::Finding::invalid) {
    return corrupt(path, scanner.position(), scanner.why());
  }
  if (finding == SegmentScanner::Finding::footer) {
    VIBES_TRY(check_blank_behind(scanner, path));
    return footer_at(file, batch.position, info);
  }
  return false;
}

Result<bool> Recovery::footer_at(const io::File& file, std::uint64_t position, SegmentInfo& info) {
  std::array<std::byte, format::kFooterBytes> bytes{};
  VIBES_TRY_ASSIGN(got, file.read_at(position, bytes));
  if (got != bytes.size()) {
    return false;
  }
  const std::uint32_t seed = Seal(info.header.log_id).batch(info.header.number, position);
  const auto header = parse_batch_header(bytes, seed);
  const Bytes body = Bytes(bytes).subspan(format::kBatchHeaderBytes);
  if (!header || header->type != format::BatchType::footer || !body_is_whole(*header, body, seed)) {
    return false;
  }
  const Footer footer = parse_footer_body(body);
  if (footer.first != info.header.first || footer.segment != info.header.number ||
      footer.end != header->first) {
    return false;
  }
  info.state = SegmentInfo::State::sealed;
  info.end = footer.end;
  info.bytes = position + format::kFooterBytes;
  info.first_time = footer.first_time;
  info.last_time = footer.last_time;
  info.footer_crc = header->crc;
  log_.epoch = std::max(log_.epoch, header->epoch);
  return true;
}

Result<void> Recovery::take_last(Offset first) {
  const std::string path = layout_.segment(first);
  VIBES_TRY_ASSIGN(
      file, fs_.open(path, repairing() ? io::OpenMode::read_write : io::OpenMode::read_only));
  if (repairing() && !log_.was_closed) {
    // First everything a killed process left behind goes to the disk, then it is read back from
    // there: after a failed sync the page cache shows what the disk never got.
    VIBES_TRY(file->sync_data());
    VIBES_TRY(file->drop_cache());
  }
  auto header = read_header(*file, first);
  if (!header) {
    // The mark is written after the header of a new segment was synced.
    const bool vouched = mark_ && (log_.sealed.empty() || mark_->end > first ||
                                   mark_->segment > log_.sealed.back().header.number);
    if (header.error().code != Errc::corrupt || vouched) {
      return fail(with_path(std::move(header).error(), path + " at byte 0"));
    }
    return drop_torn_creation(*file, first, path);
  }
  VIBES_TRY(check_link(*header, path));
  SegmentInfo info;
  info.header = *header;
  VIBES_TRY_ASSIGN(size, file->size());
  info.file_bytes = size;
  if (size > header->capacity) {
    return corrupt(path, header->capacity, "the file is longer than it was made");
  }
  return scan_last(info, std::move(file), path);
}

Result<void> Recovery::drop_torn_creation(const io::File& file, Offset first,
                                          const std::string& path) {
  VIBES_TRY_ASSIGN(size, file.size());
  SegmentHeader nobody;
  SegmentScanner scanner(file, size, nobody);
  VIBES_TRY_ASSIGN(last, scanner.last_used_byte());
  if (last != 0) {
    return corrupt(path, 0, "the segment header is not whole, but there is data behind it");
  }
  if (repairing()) {
    VIBES_TRY_ASSIGN(kept, quarantine(fs_, layout_, file, Layout::digits(first), 0,
                                      std::min<std::uint64_t>(size, format::kSegmentHeaderBytes)));
    VIBES_TRY(fs_.remove(path));
    VIBES_TRY(fs_.sync_directory(layout_.segments()));
    report("a segment that was not finished is now " + kept);
  }
  return {};
}

Result<void> Recovery::scan_last(SegmentInfo info, std::unique_ptr<io::File> file,
                                 const std::string& path) {
  RecoveredLog::Active active;
  SegmentScanner scanner(*file, info.file_bytes, info.header);
  ScannedBatch batch;
  auto finding = SegmentScanner::Finding::batch;
  while (true) {
    VIBES_TRY_ASSIGN(next, scanner.next(batch));
    finding = next;
    if (finding != SegmentScanner::Finding::batch) {
      break;
    }
    active.sparse.note_batch(batch.header.first, batch.header.time, batch.position);
    const std::uint64_t batch_end = batch.position + batch.header.bytes();
    for_each_record(batch, [&](const event::EventView& event, std::uint64_t position) {
      active.sparse.note_record(event.offset, event.time, position, batch_end);
      active.ids.push_back({event.event_id, IdWindow::fingerprint(event.payload),
                            static_cast<std::uint32_t>(event.offset - info.header.first)});
      info.first_time = active.ids.size() == 1 ? event.time : info.first_time;
      info.last_time = event.time;
    });
  }
  info.end = scanner.expected();
  info.bytes = scanner.position();
  log_.epoch = std::max(log_.epoch, scanner.epoch());
  if (finding == SegmentScanner::Finding::footer) {
    VIBES_TRY(check_blank_behind(scanner, path));
    VIBES_TRY_ASSIGN(sealed, footer_at(*file, batch.position, info));
    if (!sealed) {
      return corrupt(path, batch.position, "a footer of another segment");
    }
    adopt(info);
    log_.sealed.push_back(info);
    return {};
  }
  if (finding == SegmentScanner::Finding::invalid) {
    VIBES_TRY(judge_tail(scanner, *file, info, path));
  }
  adopt(info);
  active.chain = scanner.chain();
  active.batches = scanner.batches();
  active.info = info;
  active.file = std::move(file);
  log_.active = std::move(active);
  return {};
}

Result<void> Recovery::judge_tail(SegmentScanner& scanner, io::File& file, SegmentInfo& info,
                                  const std::string& path) {
  VIBES_TRY_ASSIGN(last_used, scanner.last_used_byte());
  VIBES_TRY(prove_torn(scanner, info, last_used, path));
  const std::uint64_t from = scanner.position();
  const std::uint64_t cut = last_used < from ? 0 : last_used + 1 - from;
  if (!repairing()) {
    return {};
  }
  const std::string name = Layout::digits(info.header.first);
  VIBES_TRY_ASSIGN(kept, quarantine(fs_, layout_, file, name, from, from + cut));
  // Nothing may be appended behind bytes that are not ours: they could come back as ghosts.
  VIBES_TRY(file.truncate(from));
  VIBES_TRY(file.sync_data());
  VIBES_TRY(fs_.sync_directory(layout_.segments()));
  info.file_bytes = from;
  report("cut a torn tail of " + std::to_string(cut) + " bytes off " + path + " at byte " +
         std::to_string(from) + " (" + scanner.why() + "), kept as " + kept);
  return {};
}

/// Only what the last batch in flight can have left behind may be cut off.
Result<void> Recovery::prove_torn(SegmentScanner& scanner, const SegmentInfo& info,
                                  std::uint64_t last_used, const std::string& path) {
  const std::uint64_t at = scanner.position();
  const bool vouched = mark_ && ((mark_->segment == info.header.number && at < mark_->position) ||
                                 scanner.expected() < mark_->end);
  if (vouched) {
    return corrupt(path, at,
                   scanner.why() + "; events up to offset " + std::to_string(mark_->end.value()) +
                       " are known to have been durable, those from offset " +
                       std::to_string(scanner.expected().value()) + " on cannot be read");
  }
  const bool syncs_each_batch = mark_ && mark_->syncs_each_batch;
  VIBES_TRY_ASSIGN(behind, scanner.find_batch_behind());
  if (behind && (syncs_each_batch || behind->durable_before > scanner.expected())) {
    return corrupt(path, at,
                   scanner.why() + "; events from offset " +
                       std::to_string(scanner.expected().value()) + " to " +
                       std::to_string(behind->first.value()) +
                       " are damaged, a whole batch follows them");
  }
  if (syncs_each_batch && last_used >= at + format::kBatchHeaderBytes + format::kBodyBytesMax) {
    return corrupt(path, at, scanner.why() + "; there is more behind it than one batch");
  }
  return {};
}

Result<void> Recovery::check_against_mark() {
  if (!mark_) {
    return {};
  }
  if (!log_.log_id || log_.end < mark_->end) {
    const SegmentInfo* last = log_.active           ? &log_.active->info
                              : log_.sealed.empty() ? nullptr
                                                    : &log_.sealed.back();
    return corrupt(last == nullptr ? layout_.segments() : layout_.segment(last->header.first),
                   last == nullptr ? 0 : last->bytes,
                   "events up to offset " + std::to_string(mark_->end.value()) +
                       " were durable, but the log ends at " + std::to_string(log_.end.value()));
  }
  const std::uint64_t last =
      log_.active ? log_.active->info.header.number : log_.sealed.back().header.number;
  if (last < mark_->segment) {
    return corrupt(layout_.segments(), 0,
                   "segment number " + std::to_string(mark_->segment) + " is missing");
  }
  return {};
}

}  // namespace

Result<RecoveredLog> recover(io::FileSystem& fs, const Layout& layout, RecoveryMode mode) {
  return Recovery(fs, layout, mode).run();
}

Result<std::string> quarantine(io::FileSystem& fs, const Layout& layout, const io::File& file,
                               const std::string& name, std::uint64_t from, std::uint64_t to) {
  VIBES_TRY_ASSIGN(made, fs.exists(layout.quarantine()));
  if (!made) {
    VIBES_TRY(fs.make_directory(layout.quarantine()));
    VIBES_TRY(fs.sync_directory(layout.directory()));
  }
  Buffer bytes(static_cast<std::size_t>(to - from));
  VIBES_TRY_ASSIGN(got, file.read_at(from, bytes));
  bytes.resize(got);
  for (unsigned attempt = 0;; ++attempt) {
    const std::string path = layout.quarantine() + "/" + name + ".at-" + std::to_string(from) +
                             "." + std::to_string(attempt);
    VIBES_TRY_ASSIGN(taken, fs.exists(path));
    if (taken) {
      continue;
    }
    VIBES_TRY_ASSIGN(copy, fs.open(path, io::OpenMode::create_new));
    VIBES_TRY(copy->write_at(0, bytes));
    VIBES_TRY(copy->sync_data());
    VIBES_TRY(fs.sync_directory(layout.quarantine()));
    return path;
  }
}

}  // namespace vibes::eventlog::file
