// SPDX-License-Identifier: MIT
#include "eventlog/remote/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/codec.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/id_window.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::remote {
namespace {

constexpr std::string_view kGroup = "delivered";
constexpr std::string_view kHead = "outbox_batch";
constexpr std::size_t kSegmentBytes = 8 * limits::kMiB;

/// Lies in front of a batch: how many events follow, and when another log recorded them.
event::NewEvent make_head(std::size_t count, const std::optional<Timestamp>& recorded) {
  nlohmann::json head{{"events", count}};
  if (recorded) {
    head["recorded_us"] = recorded->unix_us;
  }
  return {head.dump(), std::string(kHead), {}, std::nullopt};
}

struct Head {
  std::size_t count = 0;
  std::optional<Timestamp> recorded;
};

Result<Head> parse_head(const event::EventView& event) {
  const auto json = nlohmann::json::parse(event.payload, nullptr, /*allow_exceptions=*/false);
  if (event.type != kHead || !json.is_object() || !json.contains("events") ||
      !json["events"].is_number_unsigned()) {
    return fail(Errc::corrupt, fmt::format("outbox: no batch begins at {}", event.offset.value()));
  }
  Head head{json["events"].get<std::size_t>(), std::nullopt};
  if (json.contains("recorded_us")) {
    head.recorded = Timestamp{json["recorded_us"].get<std::int64_t>()};
  }
  return head;
}

std::uint64_t bytes_of(const std::vector<event::NewEvent>& events) {
  std::uint64_t bytes = 0;
  for (const event::NewEvent& event : events) {
    bytes += event.payload.size() + event.type.size() + event.session.size();
  }
  return bytes;
}

event::NewEvent copy_of(const event::EventView& event) {
  return {std::string(event.payload), std::string(event.type), std::string(event.session),
          event.event_id};
}

/// The batch at the reader's place; nothing at the end.
Result<std::optional<Outbox::Batch>> read_batch(Reader& reader) {
  VIBES_TRY_ASSIGN(first, reader.read({.events_max = 1}));
  if (first.events.empty()) {
    return std::optional<Outbox::Batch>{};
  }
  VIBES_TRY_ASSIGN(head, parse_head(first.events.front()));
  Outbox::Batch batch{{}, head.recorded, reader.position()};
  while (batch.events.size() < head.count) {
    VIBES_TRY_ASSIGN(more, reader.read({.events_max = head.count - batch.events.size(),
                                        .bytes_max = limits::kBatchBytesMax,
                                        .scan_bytes_max = 2 * limits::kBatchBytesMax}));
    if (more.events.empty()) {
      return fail(Errc::corrupt, "outbox: a batch without its end");
    }
    std::ranges::transform(more.events, std::back_inserter(batch.events), copy_of);
  }
  batch.end = reader.position();
  return std::optional(std::move(batch));
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(const std::string& directory,
                                             const LogOptions& options, std::size_t bytes_max) {
  io::FileSystem& files =
      options.file_system != nullptr ? *options.file_system : io::posix_file_system();
  std::unique_ptr<Outbox> outbox(new Outbox(directory, bytes_max, files));
  VIBES_TRY(outbox->start(options));
  return outbox;
}

Result<void> Outbox::start(const LogOptions& options) {
  LogOptions own = options;
  own.origin.reset();
  own.segment_bytes = std::min(options.segment_bytes, kSegmentBytes);
  own.retention = {.age = std::nullopt, .bytes = 0, .beyond_groups = false};
  if (directory_.empty()) {
    own.retention.bytes = std::nullopt;  // what a memory log drops, it drops unread
  }
  VIBES_TRY_ASSIGN(log, open_log(directory_.empty() ? "memory:" : "file:" + directory_, own));
  log_ = std::move(log);
  if (!log_->group_offsets().committed(kGroup)) {
    VIBES_TRY(log_->group_offsets().commit(kGroup, log_->first()));
  }
  return count_waiting();
}

Result<void> Outbox::count_waiting() {
  rewind();
  while (true) {
    VIBES_TRY_ASSIGN(batch, next());
    if (!batch) {
      break;
    }
    const MutexLock lock(mutex_);
    note_waiting(batch->events);
  }
  rewind();
  return {};
}

std::uint64_t Outbox::note_waiting(const std::vector<event::NewEvent>& events) {
  Waiting batch{++batches_, events.size(), bytes_of(events), {}};
  for (const event::NewEvent& event : events) {
    ids_.emplace(*event.event_id, IdWindow::fingerprint(event.payload));
    batch.ids.push_back(*event.event_id);
  }
  load_.events += batch.events;
  load_.bytes += batch.bytes;
  waiting_.push_back(std::move(batch));
  return batches_;
}

void Outbox::forget(const Waiting& batch) {
  for (const Uuid& id : batch.ids) {
    ids_.erase(id);
  }
  load_.events -= batch.events;
  load_.bytes -= batch.bytes;
}

/// The disk did not take it.
void Outbox::take_back(std::uint64_t number) {
  const MutexLock lock(mutex_);
  const auto batch = std::ranges::find(waiting_, number, &Waiting::number);
  if (batch != waiting_.end()) {
    forget(*batch);
    waiting_.erase(batch);
  }
}

Result<void> Outbox::keep(const std::vector<event::NewEvent>& events,
                          std::optional<Timestamp> recorded, Kept kept) {
  AppendReceipt receipt;
  receipt.pending = true;
  std::vector<event::NewEvent> batch;
  const MutexLock lock(mutex_);
  std::unordered_map<Uuid, std::uint64_t> fresh;
  for (const event::NewEvent& event : events) {
    const std::uint64_t fingerprint = IdWindow::fingerprint(event.payload);
    auto known = ids_.find(*event.event_id);
    const bool here = known == ids_.end();
    known = here ? fresh.find(*event.event_id) : known;
    const bool duplicate = known != (here ? fresh.end() : ids_.end());
    if (duplicate && known->second != fingerprint) {
      return fail(Errc::event_id_conflict, "event_id " + to_string(*event.event_id));
    }
    receipt.places.push_back({Offset{}, *event.event_id, duplicate});
    if (!duplicate) {
      fresh.emplace(*event.event_id, fingerprint);
      batch.push_back(event);
    }
  }
  if (load_.bytes + bytes_of(batch) > bytes_max_) {
    return fail(Errc::storage_full,
                fmt::format("{} bytes wait in the outbox for the engine, at most {}", load_.bytes,
                            bytes_max_));
  }
  std::vector<event::NewEvent> framed;
  framed.push_back(make_head(batch.size(), recorded));
  framed.insert(framed.end(), batch.begin(), batch.end());
  const std::uint64_t number = note_waiting(batch);
  auto taken = log_->append(std::move(framed), [this, number, receipt = std::move(receipt),
                                                kept = std::move(kept)](auto stored) mutable {
    if (!stored) {
      take_back(number);
      kept(fail(stored.error()));
      return;
    }
    receipt.durability = stored->durability;
    kept(std::move(receipt));
  });
  if (!taken) {
    forget(waiting_.back());
    waiting_.pop_back();
  }
  return taken;
}

Result<std::optional<Outbox::Batch>> Outbox::next() {
  if (!reader_) {
    VIBES_TRY_ASSIGN(reader,
                     log_->reader(log_->group_offsets().committed(kGroup).value_or(Offset{})));
    reader_ = std::move(reader);
  }
  VIBES_TRY_ASSIGN(batch, read_batch(*reader_));
  const MutexLock lock(mutex_);
  read_ += batch ? 1U : 0U;
  return batch;
}

void Outbox::rewind() {
  reader_.reset();
  const MutexLock lock(mutex_);
  read_ = 0;
}

bool Outbox::is_read() const {
  const MutexLock lock(mutex_);
  return read_ == waiting_.size();
}

Result<void> Outbox::delivered(std::size_t batches, Offset end) {
  VIBES_TRY(log_->group_offsets().commit(kGroup, end));
  const MutexLock lock(mutex_);
  for (; batches > 0; --batches) {
    forget(waiting_.front());
    waiting_.pop_front();
    --read_;
  }
  return {};
}

Result<void> Outbox::put_aside(const Batch& batch, const Error& why) {
  // Whoever is told of them finds them.
  auto written = directory_.empty() ? Result<void>() : write_refused(batch, why);
  const MutexLock lock(mutex_);
  load_.refused += batch.events.size();
  return written;
}

Result<void> Outbox::write_refused(const Batch& batch, const Error& why) {
  std::string text;
  for (const event::NewEvent& event : batch.events) {
    text += R"({"reason":)";
    event::append_json_string(text, why.message());
    text += fmt::format(R"(,"event_id":"{}","event":)", to_string(*event.event_id));
    event::append_payload(text, event.payload);
    text += "}\n";
  }
  const std::string path = directory_ + ".refused.jsonl";
  VIBES_TRY_ASSIGN(exists, files_.exists(path));
  VIBES_TRY_ASSIGN(file,
                   files_.open(path, exists ? io::OpenMode::read_write : io::OpenMode::create_new));
  VIBES_TRY_ASSIGN(size, file->size());
  VIBES_TRY(file->write_at(size, std::as_bytes(std::span(text))));
  return file->sync_data();
}

Outbox::Load Outbox::load() const {
  const MutexLock lock(mutex_);
  return load_;
}

}  // namespace vibes::eventlog::remote
