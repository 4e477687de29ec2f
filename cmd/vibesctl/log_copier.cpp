// SPDX-License-Identifier: MIT
#include "log_copier.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "base/error_category.hpp"
#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "eventlog/errc.hpp"

namespace vibes::ctl {
namespace {

using namespace std::chrono_literals;
using event::EventView;
using eventlog::Errc;

constexpr std::size_t kBatchEvents = 1'000;
constexpr std::size_t kBatchBytes = 512 * limits::kKiB;
constexpr std::size_t kInFlightBytes = 8 * limits::kMiB;
constexpr std::size_t kInFlightAppends = 4'096;
constexpr auto kLookAgain = 200ms;
constexpr auto kSilenceMax = 60s;  // of an engine that owes us answers
constexpr auto kGiveUpAfter = 5s;  // on answers, once it is to end anyway

std::string_view text_of(CopyErrc code) {
  switch (code) {
    case CopyErrc::other_log:
      return "it holds something else than the log to be copied; nothing was changed";
    case CopyErrc::other_writer:
      return "someone else appends to it";
    case CopyErrc::gone:
      return "they left the log before they were copied";
    case CopyErrc::differs:
      return "the copy is not what is in the source";
    case CopyErrc::interrupted:
      return "interrupted";
  }
  return "unknown error";
}

event::NewEvent copy_of(const EventView& event) {
  return {std::string(event.payload), std::string(event.type), std::string(event.session),
          event.event_id};
}

Result<bool> is_at(eventlog::EventLog& log, Offset offset, const Uuid& event_id) {
  if (offset < log.first() || offset >= log.end()) {
    return false;
  }
  VIBES_TRY_ASSIGN(reader, log.reader(offset));
  VIBES_TRY_ASSIGN(batch, reader->read({.events_max = 1}));
  return !batch.events.empty() && batch.events.front().event_id == event_id;
}

/// The events behind a place, one at a time.
class Walk {
 public:
  explicit Walk(std::unique_ptr<eventlog::Reader> reader) : reader_(std::move(reader)) {}

  /// Null at the end, and where the events are gone.
  Result<const EventView*> next() {
    if (at_ == events_.size()) {
      VIBES_TRY_ASSIGN(batch, reader_->read({}));
      events_ = batch.events;
      at_ = 0;
    }
    return at_ == events_.size() ? nullptr : &events_[at_++];
  }

 private:
  std::unique_ptr<eventlog::Reader> reader_;
  std::span<const EventView> events_;
  std::size_t at_ = 0;
};

/// What of an event is not as it should be; nothing if all is.
const char* difference(const EventView& is, const EventView& should) {
  if (is.event_id != should.event_id) {
    return "event_id";
  }
  if (is.time != should.time) {
    return "time";
  }
  if (is.type != should.type) {
    return "type";
  }
  if (is.session != should.session) {
    return "session";
  }
  return is.payload == should.payload ? nullptr : "payload";
}

}  // namespace

const std::error_category& copy_error_category() {
  static const ErrorCategory<CopyErrc> kCategory("copy", text_of);
  return kCategory;
}

std::error_code make_error_code(CopyErrc code) {
  return {static_cast<int>(code), copy_error_category()};
}

Result<CopyPlan> plan_copy(eventlog::EventLog& source, eventlog::EventLog& target) {
  const Offset end = target.end();
  VIBES_TRY_ASSIGN(reader, target.reader(eventlog::End{}));
  VIBES_TRY_ASSIGN(last, reader->read_back({.events_max = 1}));
  if (last.events.empty()) {
    if (target.log_id() == source.log_id() && (end < source.first() || end > source.end())) {
      return fail(CopyErrc::other_log,
                  fmt::format("the target has no events and goes on with {}, the source has {} to "
                              "{}",
                              end.value(), source.first().value(), source.end().value()));
    }
    return CopyPlan{target.log_id() == source.log_id() ? end : source.first(), source.end(), end};
  }
  const EventView& event = last.events.front();
  VIBES_TRY_ASSIGN(same_place, is_at(source, event.offset, event.event_id));
  if (same_place) {
    return CopyPlan{event.offset + 1, source.end(), end};
  }
  const auto found = source.resolve(eventlog::AtEventId{event.event_id});
  if (!found && found.error().code == Errc::not_found) {
    return fail(CopyErrc::other_log,
                fmt::format("event {} of the target, its last one ({}), is not in the source",
                            event.offset.value(), to_string(event.event_id)));
  }
  if (!found) {
    return fail(found.error());
  }
  return CopyPlan{*found + 1, source.end(), end};
}

/// What is under way. Answers come on threads of the engine.
struct LogCopier::Flight {
  mutable Mutex mutex;
  CondVar changed;
  std::size_t appends VIBES_GUARDED_BY(mutex) = 0;
  std::size_t bytes VIBES_GUARDED_BY(mutex) = 0;
  std::uint64_t copied VIBES_GUARDED_BY(mutex) = 0;
  std::uint64_t copied_bytes VIBES_GUARDED_BY(mutex) = 0;
  std::optional<Error> failed VIBES_GUARDED_BY(mutex);  // the first
  Offset next;  // in the target, behind what was sent; of the thread that copies

  void answer(const Result<eventlog::AppendReceipt>& receipt, Offset first, std::size_t size) {
    const MutexLock lock(mutex);
    --appends;
    bytes -= size;
    changed.notify_all();
    if (failed) {
      return;
    }
    if (!receipt) {
      failed = receipt.error();
    } else if (receipt->duplicates() > 0 || receipt->places.front().offset != first) {
      failed = Error{CopyErrc::other_writer,
                     fmt::format("event {} of the target was to be another one", first.value())};
    } else {
      copied += receipt->places.size();
      copied_bytes += size;
    }
  }
};

LogCopier::LogCopier(eventlog::EventLog& source, eventlog::CopyTarget& target, const CopyPlan& plan)
    : source_(source), target_(target), plan_(plan), flight_(std::make_shared<Flight>()) {
  flight_->next = plan.to;
}

LogCopier::~LogCopier() = default;

std::uint64_t LogCopier::copied() const {
  const MutexLock lock(flight_->mutex);
  return flight_->copied;
}

std::uint64_t LogCopier::bytes() const {
  const MutexLock lock(flight_->mutex);
  return flight_->copied_bytes;
}

Result<void> LogCopier::copy(const Progress& progress, const Stopped& stopped) {
  auto done = send_all(progress, stopped);
  if (done) {
    done = drain(progress, stopped);
  }
  if (!done) {
    give_up();
  }
  return done;
}

Result<void> LogCopier::send_all(const Progress& progress, const Stopped& stopped) {
  VIBES_TRY_ASSIGN(reader, source_.reader(plan_.from));
  while (reader->position() < plan_.until) {
    const eventlog::ReadRequest request{
        .events_max = std::min<std::uint64_t>(kBatchEvents, plan_.until - reader->position())};
    VIBES_TRY_ASSIGN(batch, reader->read(request));
    if (batch.gap || batch.events.empty()) {
      const Offset to = batch.gap ? batch.gap->to : plan_.until;
      return fail(
          CopyErrc::gone,
          fmt::format("events {} to {} of the source",
                      (batch.gap ? batch.gap->from : reader->position()).value(), to.value() - 1));
    }
    VIBES_TRY(send_in_batches(batch.events, progress, stopped));
  }
  return {};
}

/// Events of one time together: an append has one.
Result<void> LogCopier::send_in_batches(std::span<const EventView> events, const Progress& progress,
                                        const Stopped& stopped) {
  while (!events.empty()) {
    std::size_t bytes = 0;
    std::size_t count = 0;
    while (count < events.size() && events[count].time == events.front().time &&
           (count == 0 || bytes + events[count].payload.size() <= kBatchBytes)) {
      bytes += events[count].payload.size();
      ++count;
    }
    VIBES_TRY(wait_for_room(bytes, progress, stopped));
    VIBES_TRY(send(events.first(count)));
    events = events.subspan(count);
  }
  return {};
}

Result<void> LogCopier::send(std::span<const EventView> events) {
  std::vector<event::NewEvent> batch;
  std::size_t bytes = 0;
  for (const EventView& event : events) {
    batch.push_back(copy_of(event));
    bytes += event.payload.size();
  }
  const Offset first = flight_->next;
  {
    const MutexLock lock(flight_->mutex);
    ++flight_->appends;
    flight_->bytes += bytes;
  }
  const auto taken = target_.append_recorded(
      std::move(batch), events.front().time,
      [flight = flight_, first, bytes](const Result<eventlog::AppendReceipt>& receipt) {
        flight->answer(receipt, first, bytes);
      });
  if (taken) {
    flight_->next = first + events.size();
    return {};
  }
  {
    const MutexLock lock(flight_->mutex);
    --flight_->appends;
    flight_->bytes -= bytes;
  }
  if (taken.error().code == Errc::batch_too_large && events.size() > 1) {
    const std::size_t half = events.size() / 2;
    VIBES_TRY(send(events.first(half)));
    return send(events.subspan(half));
  }
  if (taken.error().code == Errc::batch_too_large) {
    return fail(Errc::batch_too_large,
                fmt::format("event {} of the source has {} bytes: {}",
                            events.front().offset.value(), bytes, taken.error().context));
  }
  return fail(taken.error());
}

/// Also where `bytes` is more than there can ever be room for, once nothing else is under way.
Result<void> LogCopier::wait_for_room(std::size_t bytes, const Progress& progress,
                                      const Stopped& stopped) {
  auto moved_at = std::chrono::steady_clock::now();
  std::uint64_t seen = 0;
  while (true) {
    if (stopped()) {
      return fail(CopyErrc::interrupted, "copying");
    }
    MutexLock lock(flight_->mutex);
    if (flight_->failed) {
      return fail(*flight_->failed);
    }
    const bool room = flight_->appends == 0 || (flight_->bytes + bytes <= kInFlightBytes &&
                                                flight_->appends < kInFlightAppends);
    if (!room) {
      flight_->changed.wait_for(lock, kLookAgain);
    }
    const std::uint64_t copied = flight_->copied;
    const std::uint64_t copied_bytes = flight_->copied_bytes;
    lock.unlock();
    progress(copied, copied_bytes);
    if (room) {
      return {};
    }
    const auto now = std::chrono::steady_clock::now();
    if (copied != seen) {
      seen = copied;
      moved_at = now;
    } else if (now - moved_at > kSilenceMax) {
      return fail(std::make_error_code(std::errc::timed_out), "the target does not answer");
    }
  }
}

/// Until everything is answered.
Result<void> LogCopier::drain(const Progress& progress, const Stopped& stopped) {
  // Room for all of it is there when nothing is under way.
  VIBES_TRY(wait_for_room(kInFlightBytes + 1, progress, stopped));
  const MutexLock lock(flight_->mutex);
  return flight_->failed ? Result<void>(fail(*flight_->failed)) : Result<void>();
}

void LogCopier::give_up() {
  const auto until = std::chrono::steady_clock::now() + kGiveUpAfter;
  MutexLock lock(flight_->mutex);
  while (flight_->appends > 0 && std::chrono::steady_clock::now() < until) {
    flight_->changed.wait_for(lock, kLookAgain);
  }
}

std::uint64_t LogCopier::before() const {
  return std::min(plan_.from - std::min(source_.first(), plan_.from),
                  plan_.to - std::min(target_.first(), plan_.to));
}

Result<std::uint64_t> LogCopier::verify(const Progress& progress, const Stopped& stopped) {
  const std::uint64_t before = this->before();
  const std::uint64_t total = to_verify();
  VIBES_TRY_ASSIGN(source_reader, source_.reader(plan_.from - before));
  VIBES_TRY_ASSIGN(target_reader, target_.reader(plan_.to - before));
  Walk source(std::move(source_reader));
  Walk target(std::move(target_reader));
  std::uint64_t bytes = 0;
  for (std::uint64_t done = 0; done < total; ++done) {
    const Offset at = plan_.to - before + done;
    VIBES_TRY_ASSIGN(should, source.next());
    VIBES_TRY_ASSIGN(is, target.next());
    if (should == nullptr) {
      return fail(CopyErrc::gone, fmt::format("from event {} of the source on",
                                              (plan_.from - before + done).value()));
    }
    const char* what = is == nullptr ? "it is missing" : difference(*is, *should);
    if (what != nullptr) {
      return fail(CopyErrc::differs, fmt::format("event {} of the target, {} of the source: {}",
                                                 at.value(), should->offset.value(), what));
    }
    bytes += should->payload.size();
    if (done % kBatchEvents == 0) {
      progress(done, bytes);
      if (stopped()) {
        return fail(CopyErrc::interrupted, "verifying");
      }
    }
  }
  if (const Offset end = plan_.to + plan_.events(); target_.end() != end) {
    return fail(CopyErrc::other_writer,
                fmt::format("the target ends at {}, not {}", target_.end().value(), end.value()));
  }
  return total;
}

}  // namespace vibes::ctl
