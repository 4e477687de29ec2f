// SPDX-License-Identifier: MIT
#include "eventlog/event_log.hpp"

#include <algorithm>
#include <utility>

#include "event/errc.hpp"

namespace vibes::eventlog {
namespace {

std::vector<event::NewEvent> copy_of(const event::PackedSlice& packed) {
  std::vector<event::NewEvent> events;
  events.reserve(packed.size());
  for (std::size_t i = 0; i < packed.size(); ++i) {
    events.push_back(event::copy_of(packed[i]));
  }
  return events;
}

/// cursor_check() of the event at `at`; nothing where it is no longer kept.
Result<std::optional<std::uint32_t>> check_of(EventLog& log, Offset at) {
  VIBES_TRY_ASSIGN(reader, log.reader(at));
  VIBES_TRY_ASSIGN(batch, reader->read({.events_max = 1}));
  if (batch.gap || batch.events.empty()) {
    return std::optional<std::uint32_t>{};
  }
  return std::optional(event::cursor_check(batch.events.front()));
}

}  // namespace

std::uint64_t AppendReceipt::duplicates() const {
  return static_cast<std::uint64_t>(
      std::count_if(places.begin(), places.end(), [](const Place& p) { return p.duplicate; }));
}

AppendBundle AppendBundle::take_front(std::size_t appends) {
  if (appends == ends.size()) {
    return std::exchange(*this, {});
  }
  AppendBundle front;
  const std::size_t count = appends == 0 ? 0 : ends[appends - 1];
  front.events = events.take_front(count);
  const auto last_end = ends.begin() + static_cast<std::ptrdiff_t>(appends);
  front.ends.assign(ends.begin(), last_end);
  ends.erase(ends.begin(), last_end);
  std::ranges::for_each(ends, [count](std::size_t& end) { end -= count; });
  return front;
}

BundleDone answer_of_one(AppendDone done) {
  return [done = std::move(done)](BundleReceipt receipt) {
    if (!receipt.refused.empty()) {
      done(fail(std::move(receipt.refused.front().error)));
    } else {
      done(AppendReceipt{receipt.durability, std::move(receipt.places), receipt.pending});
    }
  };
}

Result<void> EventLog::append_driven(std::vector<event::NewEvent> batch, AppendDone done) {
  AppendBundle bundle;
  std::ranges::for_each(
      batch, [&](const event::NewEvent& event) { bundle.events.add(event::view_of(event)); });
  bundle.close_append();
  VIBES_TRY(append_bundle(bundle, answer_of_one(std::move(done))));
  return {};
}

// For engines that have no better way: each append by itself. A copy is offered, for one that is
// not taken must still be there.
// NOLINTNEXTLINE(performance-unnecessary-value-param): of an interface whose others keep it
Result<std::size_t> EventLog::append_bundle(AppendBundle& bundle, BundleDone done) {
  std::size_t taken = 0;
  for (; taken < bundle.ends.size(); ++taken) {
    auto appended = append(copy_of(bundle.events_of(taken)), [done](Result<AppendReceipt> answer) {
      BundleReceipt receipt{.appends = 1};
      if (answer) {
        receipt.durability = answer->durability;
        receipt.pending = answer->pending;
        receipt.places = std::move(answer->places);
      } else {
        receipt.refused.push_back({0, std::move(answer).error()});
      }
      done(std::move(receipt));
    });
    if (!appended) {
      if (taken == 0) {
        return fail(std::move(appended).error());
      }
      break;  // the caller comes back with the rest
    }
  }
  (void)bundle.take_front(taken);
  return taken;
}

Result<event::Cursor> EventLog::cursor_at(Offset next) {
  if (next > end()) {
    return fail(Errc::out_of_range, "offset " + std::to_string(next.value()));
  }
  event::Cursor cursor{log_id(), next, 0};
  if (next > Offset{}) {
    VIBES_TRY_ASSIGN(check, check_of(*this, next - 1));
    cursor.check = check.value_or(0);
  }
  return cursor;
}

Result<Offset> EventLog::resume(const event::Cursor& cursor) {
  const auto mismatch = [&](const char* why) {
    return fail(event::Errc::cursor_mismatch, "cursor at " + std::to_string(cursor.next.value()) +
                                                  " of log " + to_string(cursor.log_id) + ": " +
                                                  why);
  };
  if (cursor.log_id != log_id()) {
    return mismatch("it is of another log");
  }
  if (cursor.next > end()) {
    // Where several servers share a log, another one may have shown more of it already.
    if (status().engine_durability) {
      return fail(std::make_error_code(std::errc::resource_unavailable_try_again),
                  "the copy of this server ends at " + std::to_string(end().value()) +
                      ", before the cursor; try again");
    }
    return mismatch("it is past the end of the log");
  }
  // A check of 0 was made where the event was no longer kept.
  if (cursor.next > Offset{} && cursor.check != 0) {
    VIBES_TRY_ASSIGN(check, check_of(*this, cursor.next - 1));
    if (check && *check != cursor.check) {
      return mismatch("the event before it is not the one the cursor saw");
    }
  }
  return cursor.next;
}

}  // namespace vibes::eventlog
