// SPDX-License-Identifier: MIT
#include "eventlog/file/append_group.hpp"

#include <utility>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {

AppendGroup::AppendGroup(IdWindow& window, UuidV7Generator& ids, const Seal& seal, Offset first,
                         Timestamp time)
    : window_(window),
      ids_(ids),
      seal_(seal),
      first_(first),
      time_(time),
      batch_(format::kBatchHeaderBytes) {}

void AppendGroup::add(PendingAppend append) {
  queued_bytes_ += append.bytes;
  auto result = place(append);
  answers_.push_back({std::move(append.done), std::move(result)});
}

Result<AppendReceipt> AppendGroup::place(const PendingAppend& append) {
  const std::size_t bytes_before = batch_.size();
  const std::size_t events_before = positions_.size();
  std::size_t bytes = bytes_before;
  for (const event::NewEvent& event : append.events) {
    bytes += record_bytes(event);
  }
  if (bytes > batch_.capacity()) {
    batch_.reserve(std::max(bytes, batch_.capacity() * 2));
  }
  AppendReceipt receipt;
  receipt.places.reserve(append.events.size());
  for (const event::NewEvent& event : append.events) {
    const std::uint64_t fingerprint = IdWindow::fingerprint(event.payload);
    const auto known = event.event_id ? window_.find(*event.event_id) : std::nullopt;
    if (!known) {
      receipt.places.push_back(append_new(event, fingerprint));
      continue;
    }
    if (known->fingerprint != fingerprint) {
      // All or nothing: what this append has placed so far goes again.
      window_.truncate(first_ + events_before);
      positions_.resize(events_before);
      batch_.resize(bytes_before);
      return fail(Errc::event_id_conflict, "event_id " + to_string(*event.event_id));
    }
    receipt.places.push_back({known->offset, *event.event_id, true});
  }
  return receipt;
}

AppendReceipt::Place AppendGroup::append_new(const event::NewEvent& event,
                                             std::uint64_t fingerprint) {
  const Uuid event_id = event.event_id ? *event.event_id : ids_.next(time_);
  const Offset offset = first_ + positions_.size();
  window_.push(event_id, fingerprint);
  positions_.push_back(static_cast<std::uint32_t>(batch_.size()));
  append_record(batch_, event, {offset, event_id, time_}, seal_);
  return {offset, event_id, false};
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
    if (answer.result) {
      answer.result->durability = achieved;
    }
    answer.done(std::move(answer.result));
  }
}

void AppendGroup::refuse(const Error& error) {
  for (Answer& answer : answers_) {
    answer.done(answer.result ? Result<AppendReceipt>(fail(error)) : std::move(answer.result));
  }
}

}  // namespace vibes::eventlog::file
