// SPDX-License-Identifier: MIT
#include "eventlog/file/append_group.hpp"

#include <algorithm>
#include <utility>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {

BundleReceipt refused(std::size_t appends, const Error& error,
                      std::vector<BundleReceipt::Refusal> before) {
  BundleReceipt receipt{.appends = appends};
  auto own = before.begin();
  for (std::size_t i = 0; i < appends; ++i) {
    if (own != before.end() && own->append == i) {
      receipt.refused.push_back(std::move(*own++));
    } else {
      receipt.refused.push_back({i, error});
    }
  }
  return receipt;
}

AppendGroup::AppendGroup(IdWindow& window, UuidV7Generator& ids, const Seal& seal, Offset first,
                         Timestamp time)
    : window_(window),
      ids_(ids),
      seal_(seal),
      first_(first),
      time_(time),
      batch_(format::kBatchHeaderBytes) {}

void AppendGroup::expect(PendingAppend& append) {
  event::PackedEvents& events = append.bundle.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].event_id) {
      events.set_event_id(i, ids_.next(time_));
    }
    window_.expect(*events[i].event_id);
  }
}

void AppendGroup::add(PendingAppend append) {
  queued_bytes_ += append.bytes;
  if (batch_.size() + append.bytes > batch_.capacity()) {
    batch_.reserve(std::max(batch_.size() + append.bytes, batch_.capacity() * 2));
  }
  BundleReceipt receipt{.appends = append.bundle.ends.size()};
  receipt.places.reserve(append.bundle.events.size());
  for (std::size_t i = 0; i < append.bundle.ends.size(); ++i) {
    auto placed = place(append.bundle.events_of(i), receipt.places);
    if (!placed) {
      receipt.refused.push_back({i, std::move(placed).error()});
    }
  }
  answers_.push_back({std::move(append.done), std::move(receipt)});
}

/// All or nothing: with a conflict what this append has placed so far goes again.
Result<void> AppendGroup::place(const event::PackedSlice& events,
                                std::vector<AppendReceipt::Place>& places) {
  const std::size_t bytes_before = batch_.size();
  const std::size_t events_before = positions_.size();
  const std::size_t places_before = places.size();
  for (std::size_t i = 0; i < events.size(); ++i) {
    const event::NewEventView event = events[i];
    const std::uint64_t fingerprint = IdWindow::fingerprint(event.payload);
    const auto known = window_.find(*event.event_id);
    if (!known) {
      places.push_back(append_new(event, fingerprint));
      continue;
    }
    if (known->fingerprint != fingerprint) {
      window_.truncate(first_ + events_before);
      positions_.resize(events_before);
      fingerprints_.resize(events_before);
      batch_.resize(bytes_before);
      places.resize(places_before);
      return fail(Errc::event_id_conflict, "event_id " + to_string(*event.event_id));
    }
    places.push_back({known->offset, *event.event_id, true});
  }
  return {};
}

AppendReceipt::Place AppendGroup::append_new(const event::NewEventView& event,
                                             std::uint64_t fingerprint) {
  const Offset offset = first_ + positions_.size();
  window_.push(*event.event_id, fingerprint);
  positions_.push_back(static_cast<std::uint32_t>(batch_.size()));
  fingerprints_.push_back(fingerprint);
  append_record(batch_, event, {offset, *event.event_id, time_}, seal_);
  return {offset, *event.event_id, false};
}

std::shared_ptr<const TailBatch> AppendGroup::take_batch() {
  auto batch = std::make_shared<TailBatch>();
  batch->first = first_;
  batch->bytes = std::move(batch_);
  batch->positions = std::move(positions_);
  return batch;
}

void AppendGroup::acknowledge(Durability achieved) {
  for (Answer& answer : answers_) {
    answer.receipt.durability = achieved;
    answer.done(std::move(answer.receipt));
  }
}

void AppendGroup::refuse(const Error& error) {
  for (Answer& answer : answers_) {
    answer.done(refused(answer.receipt.appends, error, std::move(answer.receipt.refused)));
  }
}

}  // namespace vibes::eventlog::file
