// SPDX-License-Identifier: MIT
#include "eventlog/file/file_event_log.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "base/assert.hpp"
#include "eventlog/check_batch.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/log_directory.hpp"

namespace vibes::eventlog::file {

namespace {

using Ids = std::vector<IdEntry>;

/// An index keeps its ids sorted by id.
Result<Ids> in_order_of_offsets(const Ids& ids) {
  Ids ordered(ids.size());
  for (const IdEntry& entry : ids) {
    if (entry.ahead >= ordered.size()) {
      return fail(Errc::corrupt, "an index with offsets that its segment does not have");
    }
    ordered[entry.ahead] = entry;
  }
  return ordered;
}

/// The ids of a sealed segment, in the order of its events.
Result<Ids> ids_of(SegmentStore& store, const SegmentInfo& segment) {
  VIBES_TRY_ASSIGN(index, store.index_of(segment));
  return in_order_of_offsets(index.ids);
}

/// Tells the window of a segment's events from offset `first` on.
void push_from(IdWindow& window, Offset first, Offset segment_first, const Ids& ids) {
  for (const IdEntry& entry : ids) {
    if (segment_first + entry.ahead >= first) {
      window.push(entry.event_id, entry.fingerprint);
    }
  }
}

std::size_t bytes_of(const event::PackedSlice& events) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    bytes += record_bytes(events[i]);
  }
  return bytes;
}

}  // namespace

FileEventLog::FileEventLog(io::FileSystem& fs, Layout layout, const LogOptions& options,
                           Housekeeping housekeeping)
    : fs_(fs),
      layout_(std::move(layout)),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock()),
      store_(fs_, layout_, SegmentStore::Access::read_write),
      housekeeper_(fs_, layout_, store_, housekeeping),
      reads_ahead_(housekeeping == Housekeeping::background) {}

FileEventLog::~FileEventLog() { (void)close(); }

Result<std::unique_ptr<FileEventLog>> FileEventLog::open(const std::string& directory,
                                                         const LogOptions& options,
                                                         Housekeeping housekeeping) {
  io::FileSystem& fs =
      options.file_system != nullptr ? *options.file_system : io::posix_file_system();
  const Layout layout(directory);
  if (options.segment_bytes < format::kSegmentHeaderBytes + 2 * format::kFooterBytes ||
      options.segment_bytes > format::kSegmentBytesMax) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "segments of " + std::to_string(options.segment_bytes) + " bytes");
  }
  VIBES_TRY_ASSIGN(lock, lock_directory(fs, layout));
  VIBES_TRY_ASSIGN(recovered, recover(fs, layout, RecoveryMode::repair));
  VIBES_TRY_ASSIGN(slots, DurableSlots::open(fs, directory, recovered.generation));
  std::unique_ptr<FileEventLog> log(new FileEventLog(fs, layout, options, housekeeping));
  log->lock_ = std::move(lock);
  VIBES_TRY(log->start(std::move(recovered), std::move(slots)));
  return log;
}

Result<void> FileEventLog::start(RecoveredLog recovered, DurableSlots slots) {
  const MutexLock writing(writing_);
  if (!recovered.log_id && options_.origin) {
    log_id_ = options_.origin->log_id;
    recovered.first = recovered.end = options_.origin->first;
  } else {
    log_id_ = recovered.log_id.value_or(random_uuid());
  }
  if (options_.origin && log_id_ != options_.origin->log_id) {
    return fail(Errc::foreign, layout_.directory() + " holds log " + to_string(log_id_) + ", not " +
                                   to_string(options_.origin->log_id));
  }
  seal_ = Seal(log_id_);
  recovery_ = recovered.report;
  if (recovered.log_id && recovered.end > Offset{}) {
    last_time_ = recovered.last_time;
    // A millisecond on, so that the ids made now sort behind those made before.
    new_from_ = Timestamp{recovered.last_time.unix_us + 1'000};
  }
  for (const SegmentInfo& segment : recovered.sealed) {
    store_.add_sealed(segment);
  }
  const Offset end = recovered.end;
  VIBES_TRY_ASSIGN(groups, FileGroupOffsets::open(fs_, layout_, log_id_, end,
                                                  FileGroupOffsets::Access::read_write,
                                                  recovered.synced_each_batch || !recovered.log_id
                                                      ? FileGroupOffsets::BeyondEnd::refuse
                                                      : FileGroupOffsets::BeyondEnd::clamp));
  groups_ = std::move(groups);
  VIBES_TRY(load_window(recovered));

  WriterOptions writer_options;
  writer_options.segment_bytes = options_.segment_bytes;
  writer_options.syncs_each_batch = options_.durability.kind == DurabilityPolicy::Kind::fsync;
  writer_ = std::make_unique<LogWriter>(fs_, layout_, clock_, store_, housekeeper_,
                                        std::move(slots), writer_options);
  LogWriter::Start start;
  start.log_id = log_id_;
  start.epoch = recovered.epoch + 1;
  start.end = end;
  if (!recovered.sealed.empty()) {
    start.after = recovered.sealed.back();
  }
  writer_->begin(start);
  Result<void> ready;
  if (recovered.active) {
    writer_->resume(*std::move(recovered.active));
    ready = writer_->reserve_active();
    if (ready) {
      ready = writer_->mark(format::SlotState::open);
    }
  } else {
    ready = writer_->make_room(0);
  }
  if (!ready) {
    // A full disk is no reason not to serve what is there; a new log has nothing to serve.
    if (ready.error().code != Errc::storage_full || !recovered.log_id) {
      return ready;
    }
    set_state(LogStatus::State::full, ready.error().context);
  }
  signal_ = std::make_unique<CommitSignal>(end);
  groups_->set_end([this] { return signal_->end(); });
  if (ready) {  // where nothing could be reserved zeros would take the last space there is
    writer_->fill_active();
  }
  writer_->prepare_next();
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<void> FileEventLog::load_window(const RecoveredLog& recovered) {
  const Offset oldest = recovered.first;
  const Offset first = recovered.end - oldest > limits::kIdempotencyWindowEvents
                           ? recovered.end - limits::kIdempotencyWindowEvents
                           : oldest;
  const MutexLock lock(window_mutex_);
  window_.reset(first);
  window_.reserve(recovered.end - first);
  const auto& sealed = recovered.sealed;
  auto at = std::ranges::find_if(sealed, [&](const SegmentInfo& s) { return s.end > first; });
  // Of a big log this is most of a start: while the ids of one segment go into the window, the
  // index of the next is read and checked by another thread.
  std::future<Result<Ids>> ahead;
  for (; at != sealed.end(); ++at) {
    VIBES_TRY_ASSIGN(ids, ahead.valid() ? ahead.get() : ids_of(store_, *at));
    if (const auto next = at + 1; next != sealed.end() && reads_ahead_) {
      ahead = std::async([this, next] { return ids_of(store_, *next); });
    }
    push_from(window_, first, at->header.first, ids);
  }
  if (recovered.active) {
    push_from(window_, first, recovered.active->info.header.first, recovered.active->ids);
  }
  if (window_.end() != recovered.end) {
    return fail(Errc::corrupt, layout_.segments() + ": an index disagrees with its segment");
  }
  return {};
}

Result<void> FileEventLog::append(std::vector<event::NewEvent> batch, AppendDone done) {
  return append_one(std::move(batch), std::nullopt, std::move(done));
}

Result<void> FileEventLog::append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                                           AppendDone done) {
  return append_one(std::move(batch), time, std::move(done));
}

Result<void> FileEventLog::append_one(std::vector<event::NewEvent> batch,
                                      std::optional<Timestamp> recorded, AppendDone done) {
  VIBES_TRY(check_batch(batch));
  PendingAppend pending;
  for (const event::NewEvent& event : batch) {
    pending.bundle.events.add(event::view_of(event));
  }
  pending.bundle.close_append();
  pending.done = answer_of_one(std::move(done));
  pending.bytes = bytes_of(pending.bundle.events_of(0));
  pending.time = recorded;
  const MutexLock lock(queue_mutex_);
  VIBES_TRY(check_takes(pending.bytes));
  enqueue(std::move(pending));
  call_writer();
  return {};
}

Result<std::size_t> FileEventLog::append_bundle(AppendBundle& bundle, BundleDone done) {
  std::size_t appends = 0;
  std::size_t bytes = 0;
  for (; appends < bundle.ends.size(); ++appends) {
    const event::PackedSlice events = bundle.events_of(appends);
    const auto checked = check_batch(events);
    if (!checked && appends == 0) {
      return fail(checked.error());
    }
    if (!checked) {
      break;  // the caller comes back with it
    }
    bytes += bytes_of(events);
  }
  const MutexLock lock(queue_mutex_);
  VIBES_TRY(check_takes(bytes));
  enqueue({bundle.take_front(appends), std::move(done), bytes, std::nullopt});
  return appends;
}

Result<void> FileEventLog::check_takes(std::size_t bytes) const {
  if (closing_) {
    return fail(Errc::closed, layout_.directory());
  }
  if (state() == LogStatus::State::full) {
    return fail(Errc::storage_full, reason_);
  }
  if (state() != LogStatus::State::writable) {
    return fail(Errc::failed, reason_);
  }
  if (queued_bytes_ > 0 && queued_bytes_ + bytes > limits::kAppendQueueBytesMax) {
    return fail(Errc::queue_full, std::to_string(queued_bytes_) + " bytes are waiting");
  }
  return {};
}

void FileEventLog::enqueue(PendingAppend pending) {
  queued_bytes_ += pending.bytes;
  queue_.push_back(std::move(pending));
}

void FileEventLog::call_writer() {
  if (!std::exchange(called_, true)) {
    queue_changed_.notify_one();
  }
}

std::optional<IdWindow::Known> FileEventLog::known(const Uuid& event_id) const {
  const MutexLock lock(window_mutex_);
  return window_.find(event_id);
}

ReadSource FileEventLog::source() const { return {store_, tail_, *signal_, layout_, seal_}; }

Result<std::unique_ptr<Reader>> FileEventLog::reader(const Position& position) {
  VIBES_TRY_ASSIGN(offset, resolve(position));
  return std::unique_ptr<Reader>(std::make_unique<FileReader>(source(), offset));
}

Result<Offset> FileEventLog::resolve(const Position& position) {
  const Offset end = signal_->end();
  if (std::holds_alternative<AtEventId>(position)) {
    const Uuid event_id = std::get<AtEventId>(position).event_id;
    VIBES_TRY_ASSIGN(found, find_id(event_id));
    if (!found || *found >= end || *found < first()) {
      return fail(Errc::not_found, "event_id " + to_string(event_id));
    }
    return *found;
  }
  return resolve_without_ids(source(), position);
}

Result<std::optional<Offset>> FileEventLog::find_id(const Uuid& event_id) {
  Offset window_first;
  {
    const MutexLock lock(window_mutex_);
    if (const auto known = window_.find(event_id)) {
      return std::optional(known->offset);
    }
    window_first = window_.first();
  }
  const std::vector<SegmentInfo> segments = store_.list();
  for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
    if (it->header.first >= window_first || it->end == it->header.first) {
      continue;
    }
    VIBES_TRY_ASSIGN(found, store_.find_id(*it, event_id));
    if (found) {
      return found;
    }
  }
  return std::optional<Offset>{};
}

LogStatus FileEventLog::status() const {
  LogStatus status;
  status.url = "file:" + layout_.directory();
  status.durability = options_.durability;
  status.bytes = store_.bytes();
  status.segments = store_.count();
  status.recovery = recovery_;
  const MutexLock lock(queue_mutex_);
  status.state = state();
  status.reason = reason_;
  status.queued_bytes = queued_bytes_;
  return status;
}

void FileEventLog::set_state(LogStatus::State state, const std::string& reason) {
  const MutexLock lock(queue_mutex_);
  reason_ = reason;
  state_.store(state, std::memory_order_release);
}

Result<void> FileEventLog::close() {
  const MutexLock closing(close_mutex_);
  {
    const MutexLock lock(queue_mutex_);
    closing_ = true;
  }
  queue_changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
  const MutexLock lock(queue_mutex_);
  if (state() == LogStatus::State::failed) {
    return fail(Errc::failed, reason_);
  }
  return {};
}

}  // namespace vibes::eventlog::file
