// SPDX-License-Identifier: MIT
#include "net/firehose_page.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "event/codec.hpp"

namespace vibes::net {

Result<FirehosePage> FirehosePage::open(eventlog::EventLog& log, const event::Filter& filter,
                                        Offset before, std::size_t events_max) {
  VIBES_TRY_ASSIGN(reader, log.reader(before));
  return FirehosePage(log, filter, before, events_max, std::move(reader));
}

FirehosePage::FirehosePage(eventlog::EventLog& log, const event::Filter& filter, Offset before,
                           std::size_t events_max, std::unique_ptr<eventlog::Reader> reader)
    : log_(&log),
      filter_(&filter),
      events_max_(events_max),
      reader_(std::move(reader)),
      oldest_(before) {}

bool FirehosePage::takes(const event::EventView& event) const {
  return envelopes_.size() < events_max_ &&
         (envelopes_.empty() || bytes_ + event.payload.size() <= limits::kPageBytesMax);
}

Result<FirehosePage::State> FirehosePage::step() {
  // One more than the page holds, because has_more speaks of matching events.
  const Offset before = reader_->position();
  VIBES_TRY_ASSIGN(batch, reader_->read_back({.events_max = events_max_ - envelopes_.size() + 1,
                                              .bytes_max = limits::kScanSliceBytes,
                                              .scan_bytes_max = limits::kScanSliceBytes,
                                              .filter = filter_}));
  for (const event::EventView& event : batch.events) {
    if (!takes(event)) {
      has_more_ = true;
      return State::complete;
    }
    std::string& envelope = envelopes_.emplace_back();
    event::append_envelope(envelope, event);
    bytes_ += event.payload.size();
    oldest_ = event.offset;
    oldest_id_ = event.event_id;
  }
  const Offset reached = reader_->position();
  if (batch.gap || reached <= log_->first() || reached >= before) {
    oldest_ = std::min(oldest_, reached);
    return State::complete;
  }
  return State::reading;
}

std::string FirehosePage::text() const {
  std::string out = R"({"type":"events_batch","events":[)";
  out.reserve(out.size() + bytes_ + envelopes_.size() * 160);
  for (auto envelope = envelopes_.rbegin(); envelope != envelopes_.rend(); ++envelope) {
    if (envelope != envelopes_.rbegin()) {
      out += ',';
    }
    out += *envelope;
  }
  out += R"(],"oldest_event_id":)";
  out += envelopes_.empty() ? "null" : '"' + to_string(oldest_id_) + '"';
  out += has_more_ ? R"(,"has_more":true})" : R"(,"has_more":false})";
  return out;
}

}  // namespace vibes::net
