// SPDX-License-Identifier: MIT
#include "eventlog/memory/memory_event_log.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/mutex.hpp"
#include "eventlog/check_batch.hpp"
#include "eventlog/id_window.hpp"
#include "eventlog/memory/event_store.hpp"
#include "eventlog/memory/memory_group_offsets.hpp"
#include "eventlog/memory/memory_reader.hpp"

namespace vibes::eventlog {
namespace {

struct Append {
  std::vector<event::NewEvent> events;
  AppendDone done;
  std::uint64_t bytes = 0;
  std::optional<Timestamp> time;  // when another log recorded them
};

std::uint64_t bytes_of(const std::vector<event::NewEvent>& events) {
  std::uint64_t bytes = 0;
  for (const event::NewEvent& event : events) {
    bytes += event.payload.size() + event.type.size() + event.session.size();
  }
  return bytes;
}

Offset first_of(const LogOptions& options) {
  return options.origin ? options.origin->first : Offset{};
}

class MemoryEventLog final : public CopyTarget {
 public:
  explicit MemoryEventLog(const LogOptions& options);
  ~MemoryEventLog() override;

  [[nodiscard]] Uuid log_id() const override { return log_id_; }
  Result<void> append(std::vector<event::NewEvent> batch, AppendDone done) override {
    return enqueue({std::move(batch), std::move(done), 0, std::nullopt});
  }
  Result<void> append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                               AppendDone done) override {
    return enqueue({std::move(batch), std::move(done), 0, time});
  }
  [[nodiscard]] std::optional<IdWindow::Known> known(const Uuid& event_id) const override {
    const MutexLock lock(window_mutex_);
    return window_.find(event_id);
  }
  Result<std::unique_ptr<Reader>> reader(const Position& position) override;
  Result<Offset> resolve(const Position& position) override;
  [[nodiscard]] Offset first() const override { return store_.first(); }
  [[nodiscard]] CommitSignal& signal() const override { return signal_; }
  [[nodiscard]] GroupOffsets& group_offsets() override { return groups_; }
  [[nodiscard]] LogStatus status() const override;
  Result<void> close() override;

 private:
  /// An append that has been carried out, to be acknowledged.
  struct Ack {
    AppendDone done;
    Result<AppendReceipt> result;
  };

  Result<void> enqueue(Append append);
  void run();
  void commit(std::deque<Append> appends);
  Result<AppendReceipt> store(std::vector<event::NewEvent> events,
                              const std::optional<Timestamp>& recorded)
      VIBES_REQUIRES(window_mutex_);
  Result<AppendReceipt> place(const std::vector<event::NewEvent>& events) const
      VIBES_REQUIRES(window_mutex_);
  void retain();

  const Uuid log_id_;
  const LogOptions options_;
  const Clock& clock_;
  mutable CommitSignal signal_;
  MemoryGroupOffsets groups_{signal_};
  EventStore store_;

  mutable Mutex mutex_;
  CondVar queued_;
  std::deque<Append> queue_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t queued_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  bool closing_ VIBES_GUARDED_BY(mutex_) = false;

  mutable Mutex window_mutex_;
  IdWindow window_ VIBES_GUARDED_BY(window_mutex_);

  // The writer thread's own.
  UuidV7Generator ids_;
  Timestamp last_time_;
  Mutex joining_;
  std::thread writer_;  // last: it uses everything above
};

MemoryEventLog::MemoryEventLog(const LogOptions& options)
    : log_id_(options.origin ? options.origin->log_id : random_uuid()),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock()),
      signal_(first_of(options)),
      store_(first_of(options)),
      window_(limits::kIdempotencyWindowEvents, first_of(options)),
      writer_([this] { run(); }) {}

MemoryEventLog::~MemoryEventLog() { (void)close(); }

Result<void> MemoryEventLog::enqueue(Append append) {
  VIBES_TRY(check_batch(append.events));
  append.bytes = bytes_of(append.events);
  const MutexLock lock(mutex_);
  if (closing_) {
    return fail(Errc::closed, "memory log");
  }
  if (queued_bytes_ + append.bytes > limits::kAppendQueueBytesMax) {
    return fail(Errc::queue_full, fmt::format("{} bytes wait", queued_bytes_));
  }
  queued_bytes_ += append.bytes;
  queue_.push_back(std::move(append));
  queued_.notify_one();
  return {};
}

void MemoryEventLog::run() {
  MutexLock lock(mutex_);
  while (true) {
    while (queue_.empty() && !closing_) {
      queued_.wait(lock);
    }
    if (queue_.empty()) {
      return;
    }
    std::deque<Append> appends = std::exchange(queue_, {});
    const std::uint64_t bytes = queued_bytes_;
    lock.unlock();
    commit(std::move(appends));
    lock.lock();
    queued_bytes_ -= bytes;
  }
}

void MemoryEventLog::commit(std::deque<Append> appends) {
  std::vector<Ack> acks;
  acks.reserve(appends.size());
  {
    const MutexLock lock(window_mutex_);
    for (Append& append : appends) {
      acks.push_back({std::move(append.done), store(std::move(append.events), append.time)});
    }
  }
  retain();
  const Offset end = store_.end();
  signal_.advance(end);
  for (Ack& ack : acks) {
    ack.done(std::move(ack.result));
  }
  signal_.publish(end);
}

/// Where each event will be, or already is.
Result<AppendReceipt> MemoryEventLog::place(const std::vector<event::NewEvent>& events) const {
  AppendReceipt receipt;
  receipt.places.reserve(events.size());
  std::unordered_map<Uuid, IdWindow::Known> here;  // ids given earlier in this batch
  Offset next = window_.end();
  for (const event::NewEvent& event : events) {
    if (!event.event_id) {
      receipt.places.push_back({next, {}, false});
      ++next;
      continue;
    }
    const std::uint64_t fingerprint = IdWindow::fingerprint(event.payload);
    const auto earlier = here.find(*event.event_id);
    const auto known =
        earlier != here.end() ? std::optional(earlier->second) : window_.find(*event.event_id);
    if (known && known->fingerprint != fingerprint) {
      return fail(Errc::event_id_conflict,
                  fmt::format("event_id {} is at offset {} with another payload",
                              to_string(*event.event_id), known->offset.value()));
    }
    receipt.places.push_back({known ? known->offset : next, *event.event_id, known.has_value()});
    if (!known) {
      here.emplace(*event.event_id, IdWindow::Known{next, fingerprint});
      ++next;
    }
  }
  return receipt;
}

Result<AppendReceipt> MemoryEventLog::store(std::vector<event::NewEvent> events,
                                            const std::optional<Timestamp>& recorded) {
  VIBES_TRY_ASSIGN(receipt, place(events));
  last_time_ = std::max(last_time_, recorded ? *recorded : clock_.now());
  std::vector<StoredEventPtr> stored;
  stored.reserve(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    AppendReceipt::Place& at = receipt.places[i];
    if (at.duplicate) {
      continue;
    }
    event::NewEvent& event = events[i];
    at.event_id = event.event_id ? *event.event_id : ids_.next(last_time_);
    window_.push(at.event_id, IdWindow::fingerprint(event.payload));
    stored.push_back(std::make_shared<const StoredEvent>(
        StoredEvent{at.event_id, last_time_, std::move(event.type), std::move(event.session),
                    std::move(event.payload)}));
  }
  store_.append(std::move(stored));
  return receipt;
}

void MemoryEventLog::retain() {
  store_.drop_above(options_.retention.bytes.value_or(limits::kMemoryLogBytesMax));
  if (!options_.retention.age) {
    return;
  }
  Offset floor = store_.end();
  if (!options_.retention.beyond_groups) {
    for (const auto& [group, next] : groups_.all()) {
      floor = std::min(floor, next);
    }
  }
  const auto age_us = std::chrono::microseconds(*options_.retention.age).count();
  store_.drop_before(Timestamp{last_time_.unix_us - age_us}, floor);
}

Result<Offset> MemoryEventLog::resolve(const Position& position) {
  const Offset end = signal_.end();
  const Offset first = std::min(store_.first(), end);
  if (std::holds_alternative<Beginning>(position)) {
    return first;
  }
  if (const auto* offset = std::get_if<Offset>(&position)) {
    return *offset <= end ? Result<Offset>(*offset)
                          : fail(Errc::out_of_range, fmt::format("offset {} is past the end at {}",
                                                                 offset->value(), end.value()));
  }
  if (const auto* from_end = std::get_if<FromEnd>(&position)) {
    return end - std::min(from_end->count, end - first);
  }
  if (const auto* at_time = std::get_if<AtTime>(&position)) {
    return std::min(end, store_.find_time(at_time->time));
  }
  if (const auto* at_id = std::get_if<AtEventId>(&position)) {
    const auto found = store_.find_id(at_id->event_id);
    return found && *found < end ? Result<Offset>(*found)
                                 : fail(Errc::not_found, "event_id " + to_string(at_id->event_id));
  }
  return end;
}

Result<std::unique_ptr<Reader>> MemoryEventLog::reader(const Position& position) {
  VIBES_TRY_ASSIGN(start, resolve(position));
  return std::make_unique<MemoryReader>(store_, signal_, start);
}

LogStatus MemoryEventLog::status() const {
  LogStatus status;
  status.url = "memory:";
  status.durability = options_.durability;
  status.bytes = store_.bytes();
  const MutexLock lock(mutex_);
  status.queued_bytes = queued_bytes_;
  if (closing_) {
    status.state = LogStatus::State::closed;
    status.reason = "closed";
  }
  return status;
}

Result<void> MemoryEventLog::close() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    queued_.notify_one();
  }
  const MutexLock lock(joining_);
  if (writer_.joinable()) {
    writer_.join();
    signal_.nudge();
  }
  return {};
}

}  // namespace

std::unique_ptr<CopyTarget> make_memory_log(const LogOptions& options) {
  return std::make_unique<MemoryEventLog>(options);
}

}  // namespace vibes::eventlog
