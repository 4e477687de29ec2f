// SPDX-License-Identifier: MIT
// The part of FileEventLog that commits: on its writer thread or, driven, on a caller's.
#include <algorithm>
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/file/file_event_log.hpp"
#include "eventlog/file/retention.hpp"

namespace vibes::eventlog::file {
namespace {

using namespace std::chrono_literals;

/// Larger groups only make everyone wait longer for one sync.
constexpr std::size_t kGroupBytes = 4 * limits::kMiB;
/// A quiet log is vouched for after this long.
constexpr auto kMarkAfter = 200ms;
/// What drive() commits at most on the caller's thread: above this the writer thread's sync and the
/// caller's reading better go side by side. Less than a net thread reads at once, which is what
/// comes of a producer that has more.
constexpr std::size_t kDrivenBytesMax = 96 * limits::kKiB;
constexpr unsigned kDrivenGroupsMax = 8;
/// A disk whose syncs take longer, on average over about this many, keeps the caller from its
/// other work.
constexpr std::chrono::nanoseconds kQuickSync = 1ms;
constexpr int kSyncsAveraged = 8;
constexpr auto kProbeEvery = 1s;
constexpr auto kSpaceCheckEvery = 1s;
constexpr auto kRetentionEvery = 60s;

}  // namespace

void FileEventLog::run() {
  Clockwork::time_point wake;
  {
    const MutexLock writing(writing_);
    last_write_ = last_sync_ = last_space_check_ = Clockwork::now();
    note(retain());
    watch_space();
    wake = next_wake();
  }
  while (true) {
    wait_for_call(wake);
    const MutexLock writing(writing_);
    for (auto appends = take_group(); !appends.empty(); appends = take_group()) {
      commit(std::move(appends));
      tend();
    }
    if (is_over()) {
      finish();
      return;
    }
    rest();
    wake = next_wake();
  }
}

bool FileEventLog::is_over() const {
  const MutexLock lock(queue_mutex_);
  return closing_ && queue_.empty();
}

/// A queue that is not empty may be somebody's who found us at work and left it to us.
void FileEventLog::wait_for_call(Clockwork::time_point until) {
  MutexLock lock(queue_mutex_);
  while (!called_ && !closing_ && queue_.empty()) {
    if (queue_changed_.wait_until(lock, until) == std::cv_status::timeout) {
      break;
    }
  }
  called_ = false;
}

std::deque<PendingAppend> FileEventLog::take_group() {
  std::deque<PendingAppend> group;
  const MutexLock lock(queue_mutex_);
  std::size_t bytes = 0;
  // A group has one time.
  while (!queue_.empty() && (group.empty() || (bytes + queue_.front().bytes <= kGroupBytes &&
                                               queue_.front().time == group.front().time))) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

// Whoever appends a little on a quick disk commits it by itself, and what others leave meanwhile.
void FileEventLog::drive() {
  bool has_to_mark = false;
  unsigned groups = 0;
  for (; groups < kDrivenGroupsMax && take_turn(); ++groups) {
    const bool was_marked = writer_->is_marked();
    if (auto appends = take_group(); !appends.empty()) {
      commit(std::move(appends));
    }
    has_to_mark = has_to_mark || (was_marked && !writer_->is_marked());
    writing_.unlock();
  }
  // What is left is too much for this thread. And the writer thread's next look at the clock was
  // planned for a log at rest that takes appends.
  if (has_to_mark || groups == kDrivenGroupsMax ||
      (groups > 0 && state() != LogStatus::State::writable)) {
    const MutexLock lock(queue_mutex_);
    call_writer();
  }
}

/// True: the calling thread holds writing_ now. Otherwise there is nothing to do, or somebody else
/// does it: whoever holds writing_ looks at the queue again after letting go of it.
bool FileEventLog::take_turn() {
  const MutexLock lock(queue_mutex_);
  if (queue_.empty() || called_) {
    return false;
  }
  const bool little = queued_bytes_ <= kDrivenBytesMax;
  if (!little || sync_takes_.load() > kQuickSync) {
    call_writer();
    return false;
  }
  if (!writing_.try_lock()) {
    return false;
  }
  if (writer_->has_room(queued_bytes_)) {
    return true;
  }
  writing_.unlock();
  call_writer();  // a new segment takes several syncs
  return false;
}

FileEventLog::Clockwork::time_point FileEventLog::next_wake() const {
  if (state() == LogStatus::State::failed) {
    return Clockwork::now() + kRetentionEvery;
  }
  auto wake = last_retention_ + kRetentionEvery;
  if (state() == LogStatus::State::full) {
    wake = std::min(wake, last_space_check_ + kProbeEvery);
  }
  if (!writer_->is_marked()) {
    wake = std::min(wake, last_write_ + kMarkAfter);
  }
  if (options_.durability.kind == DurabilityPolicy::Kind::interval && !writer_->is_synced()) {
    wake = std::min(wake, last_sync_ + options_.durability.interval);
  }
  return wake;
}

Timestamp FileEventLog::next_time(const std::optional<Timestamp>& recorded) {
  last_time_ = std::max(last_time_, recorded ? *recorded : std::max(new_from_, clock_.now()));
  return last_time_;
}

void FileEventLog::commit(std::deque<PendingAppend> appends) {
  std::optional<AppendGroup> group;
  {
    const MutexLock lock(window_mutex_);
    group.emplace(window_, ids_, seal_, writer_->end(), next_time(appends.front().time));
    group->expect(appends.front());
    for (std::size_t i = 0; i < appends.size(); ++i) {
      if (i + 1 < appends.size()) {
        group->expect(appends[i + 1]);
      }
      group->add(std::move(appends[i]));
    }
  }
  const std::size_t bytes = group->queued_bytes();
  auto written =
      state() == LogStatus::State::writable
          ? write_group(*group)
          : Result<void>(fail(state() == LogStatus::State::full ? Errc::storage_full : Errc::failed,
                              "the log is not writable"));
  if (written) {
    acknowledge(*group);
  } else {
    settle_failure(*group, written.error());
  }
  last_write_ = Clockwork::now();
  const MutexLock lock(queue_mutex_);
  queued_bytes_ -= bytes;
}

/// What is due also while appends keep coming.
void FileEventLog::tend() {
  if (state() != LogStatus::State::writable) {
    return;
  }
  const auto now = Clockwork::now();
  if (options_.durability.kind == DurabilityPolicy::Kind::interval &&
      now - last_sync_ >= options_.durability.interval) {
    last_sync_ = now;
    note(writer_->sync());
  }
  if (store_.count() != segments_at_retention_) {
    note(retain());
  }
  if (now - last_space_check_ >= kSpaceCheckEvery) {
    watch_space();
  }
}

Result<void> FileEventLog::write_group(AppendGroup& group) {
  if (!group.has_events()) {
    return {};
  }
  VIBES_TRY(writer_->make_room(group.batch().size() - format::kBatchHeaderBytes));
  auto written = writer_->write(group.batch(), group.records(), group.time());
  if (!written) {
    if (written.error().code == Errc::storage_full) {
      VIBES_TRY(writer_->take_back());
    }
    return written;
  }
  return options_.durability.kind == DurabilityPolicy::Kind::fsync ? sync_timed() : Result<void>{};
}

/// A sync that shows whether the disk is quick enough for drive().
Result<void> FileEventLog::sync_timed() {
  const auto before = Clockwork::now();
  auto synced = writer_->sync();
  const std::chrono::nanoseconds average = sync_takes_.load();
  sync_takes_.store(average + (Clockwork::now() - before - average) / kSyncsAveraged);
  return synced;
}

void FileEventLog::acknowledge(AppendGroup& group) {
  const bool moved = group.has_events();
  if (moved) {
    writer_->publish();
    tail_.push(group.take_batch());
    signal_->advance(writer_->end());
  }
  group.acknowledge(options_.durability.kind == DurabilityPolicy::Kind::fsync ? Durability::fsync
                                                                              : Durability::os);
  if (moved) {
    signal_->publish(writer_->end());
  }
}

void FileEventLog::settle_failure(AppendGroup& group, const Error& error) {
  {
    const MutexLock lock(window_mutex_);
    window_.truncate(signal_->end());
  }
  // The state comes first: who is told also sees it. Then the answers, in the order of the appends.
  if (error.code == Errc::storage_full) {
    if (state() == LogStatus::State::writable) {
      set_state(LogStatus::State::full, error.context);
    }
    group.refuse(error);
    enter_full(error.context);
    return;
  }
  if (state() == LogStatus::State::failed) {
    group.refuse(error);
    return;
  }
  set_state(LogStatus::State::failed, error.context);
  group.refuse({Errc::indeterminate, error.context});
  enter_failed(error);
}

void FileEventLog::enter_full(const std::string& why) {
  set_state(LogStatus::State::full, why);
  last_space_check_ = Clockwork::now();
  refuse_queued({Errc::storage_full, why});
  signal_->nudge();
}

void FileEventLog::enter_failed(const Error& error) {
  set_state(LogStatus::State::failed, error.context);
  refuse_queued({Errc::indeterminate, error.context});
  signal_->nudge();
  if (options_.on_fatal) {
    options_.on_fatal(error);
  }
}

void FileEventLog::refuse_queued(const Error& error) {
  std::deque<PendingAppend> waiting;
  {
    const MutexLock lock(queue_mutex_);
    waiting.swap(queue_);
    for (const PendingAppend& append : waiting) {
      queued_bytes_ -= append.bytes;
    }
  }
  for (PendingAppend& append : waiting) {
    append.done(refused(append.bundle.ends.size(), error));
  }
}

void FileEventLog::note(const Result<void>& result) {
  if (result || state() == LogStatus::State::failed) {
    return;
  }
  if (result.error().code == Errc::storage_full) {
    enter_full(result.error().context);
  } else {
    enter_failed(result.error());
  }
}

void FileEventLog::rest() {
  if (state() == LogStatus::State::failed) {
    return;
  }
  const auto now = Clockwork::now();
  if (state() == LogStatus::State::full && now - last_space_check_ >= kProbeEvery) {
    probe();
  }
  const bool interval_is_over = options_.durability.kind == DurabilityPolicy::Kind::interval &&
                                !writer_->is_synced() &&
                                now - last_sync_ >= options_.durability.interval;
  if (interval_is_over) {
    last_sync_ = now;
    note(writer_->sync());
  }
  if (state() != LogStatus::State::failed && !writer_->is_marked() &&
      now - last_write_ >= kMarkAfter) {
    last_write_ = now;  // not again at once, should there be no space for it
    note(sync_and_mark(format::SlotState::open));
  }
  if (state() != LogStatus::State::failed && now - last_retention_ >= kRetentionEvery) {
    note(lock_->check());
    note(retain());
  }
}

Result<void> FileEventLog::sync_and_mark(format::SlotState state) {
  if (!writer_->is_synced()) {
    VIBES_TRY(writer_->sync());
  }
  return writer_->mark(state);
}

void FileEventLog::probe() {
  last_space_check_ = Clockwork::now();
  const auto free = fs_.free_bytes(layout_.directory());
  if (!free || *free < options_.free_disk_floor_bytes) {
    return;
  }
  const auto reserved = writer_->reserve();
  if (reserved) {
    set_state(LogStatus::State::writable, {});
    signal_->nudge();
  } else if (reserved.error().code != Errc::storage_full) {
    enter_failed(reserved.error());
  }
}

void FileEventLog::watch_space() {
  last_space_check_ = Clockwork::now();
  const auto free = fs_.free_bytes(layout_.directory());
  if (state() == LogStatus::State::writable && free && *free < options_.free_disk_floor_bytes) {
    enter_full(layout_.directory() + ": " + std::to_string(*free) +
               " bytes are free on its disk; appends are refused below " +
               std::to_string(options_.free_disk_floor_bytes));
  }
}

Result<void> FileEventLog::retain() {
  last_retention_ = Clockwork::now();
  segments_at_retention_ = store_.count();
  if (state() == LogStatus::State::failed) {
    return {};
  }
  const RetentionInput input{options_.retention, groups_->all(), clock_.now()};
  if (active_is_due(store_.list(), input)) {
    auto rolled = writer_->roll();
    if (!rolled && rolled.error().code != Errc::storage_full) {
      return rolled;  // for want of space it is tried again; others may go all the same
    }
  }
  const Offset keep = retention_cut(store_.list(), input);
  if (keep <= store_.first()) {
    return {};
  }
  if (!writer_->is_synced()) {
    VIBES_TRY(writer_->sync());
  }
  VIBES_TRY(writer_->drop_before(keep));
  segments_at_retention_ = store_.count();
  return {};
}

void FileEventLog::finish() {
  if (state() != LogStatus::State::failed) {
    note(sync_and_mark(format::SlotState::closed));
  }
  housekeeper_.stop();
  if (state() != LogStatus::State::failed) {
    set_state(LogStatus::State::closed, "closed");
  }
  signal_->nudge();
  lock_.reset();
}

}  // namespace vibes::eventlog::file
