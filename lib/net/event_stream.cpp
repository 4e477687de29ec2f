// SPDX-License-Identifier: MIT
#include "net/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "event/codec.hpp"

namespace vibes::net {

using consumers::Broadcaster;

void EventStream::seek(Offset next) {
  ahead_ = {};
  reader_.reset();
  if (next != next_) {
    moved_to(next, 0);
  }
  handed_ = std::min(handed_, next);
}

void EventStream::moved_to(Offset next, std::uint32_t cursor_check) {
  next_ = next;
  cursor_check_ = cursor_check;
}

Offset EventStream::end(const Wanted& wanted) const {
  // Behind the ring the log itself says how far; a client that is level with the ring waits for the
  // websocket consumer, so that it gets frames that are encoded already.
  const Offset ring_end = broadcaster_.ring_end();
  return std::min(ring_end, wanted.until.value_or(ring_end));
}

bool EventStream::has_more(const Wanted& wanted) {
  if (!ahead_.empty()) {
    return true;
  }
  if (next_ >= end(wanted)) {
    reader_.reset();  // an idle client holds no reader
    return false;
  }
  if (wanted.filter.matches_everything()) {
    return true;
  }
  const auto match = broadcaster_.next_match(next_, wanted.filter);
  if (!match) {
    return true;  // behind the ring
  }
  const Offset reached = std::min(*match, end(wanted));
  if (reached > next_) {
    moved_to(reached, 0);
  }
  return next_ < end(wanted);
}

Result<EventStream::Turn> EventStream::turn(const Wanted& wanted, std::string& scratch) {
  if (ahead_.empty()) {
    if (auto burst = collect(wanted, scratch)) {
      return take(*std::move(burst));
    }
  }
  return read_log(wanted, scratch);
}

consumers::BurstRequest EventStream::request_for(const Wanted& wanted) const {
  return {.from = next_,
          .until = wanted.until,
          .filter = &wanted.filter,
          .bytes_max = wanted.bytes_max,
          .shape = wanted.shape};
}

std::optional<consumers::Burst> EventStream::collect(const Wanted& wanted, std::string& scratch) {
  const consumers::BurstRequest request = request_for(wanted);
  const bool in_crowd = broadcaster_.clients() >= consumers::FrameMemory::kPagesFromClients &&
                        consumers::FilteredFrames::serves(request) && next_ >= log_.first();
  auto burst = in_crowd ? filtered_.find(request, broadcaster_.ring_end()) : std::nullopt;
  if (!burst) {
    burst = collect_anew(request, scratch);
    if (burst && in_crowd) {
      filtered_.note(request, *burst);
    }
  }
  return burst;
}

std::optional<consumers::Burst> EventStream::collect_anew(const consumers::BurstRequest& request,
                                                          std::string& scratch) {
  auto burst = broadcaster_.collect(request, scratch);
  if (burst) {
    reader_.reset();
  } else if (next_ >= log_.first()) {  // what retention took is nobody's any more
    burst = past_.collect(request, scratch);
    if (burst) {
      note_matches(burst->events, burst->next - next_);
    }
  }
  return burst;
}

EventStream::Turn EventStream::take(consumers::Burst burst) {
  if (burst.next != next_) {
    moved_to(burst.next, burst.cursor_check);
  }
  if (burst.events > 0) {
    handed_ = burst.last_end;
  }
  return Turn{burst.bytes, std::nullopt, std::move(burst.memory)};
}

// Who takes little of what it reads is quicker alone: the log passes over the rest.
void EventStream::note_matches(std::uint64_t matching, std::uint64_t looked_at) {
  constexpr std::uint64_t kMost = 4;  // at least one in so many
  takes_most_ = matching * kMost >= looked_at;
}

bool EventStream::shares(const Wanted& wanted) const {
  return broadcaster_.clients() > 1 && (takes_most_ || wanted.filter.matches_everything());
}

Result<EventStream::Turn> EventStream::read_log(const Wanted& wanted, std::string& scratch) {
  if (reader_ == nullptr) {
    VIBES_TRY_ASSIGN(opened, log_.reader(next_));
    reader_ = std::move(opened);
  }
  if (ahead_.empty()) {
    reader_->seek(next_);  // others' frames may have brought it further
    if (shares(wanted)) {
      return read_for_all(wanted, scratch);
    }
    VIBES_TRY_ASSIGN(batch, reader_->read({.bytes_max = limits::kWriteChunkBytes,
                                           .scan_bytes_max = limits::kScanSliceBytes,
                                           .filter = &wanted.filter}));
    if (batch.gap) {
      moved_to(batch.gap->to, 0);
      return Turn{{}, batch.gap, nullptr};
    }
    note_matches(batch.events.size(), reader_->position() - next_);
    ahead_ = batch.events;
  }
  const std::size_t begin = scratch.size();
  encode(wanted, scratch);
  return Turn{std::string_view(scratch).substr(begin), std::nullopt, nullptr};
}

Result<EventStream::Turn> EventStream::read_for_all(const Wanted& wanted, std::string& scratch) {
  VIBES_TRY_ASSIGN(batch, reader_->read({.events_max = consumers::FrameChunk::kEventsMax,
                                         .bytes_max = limits::kWriteChunkBytes,
                                         .scan_bytes_max = limits::kScanSliceBytes}));
  if (batch.gap) {
    moved_to(batch.gap->to, 0);
    return Turn{{}, batch.gap, nullptr};
  }
  if (batch.events.empty()) {
    return Turn{};
  }
  const auto chunk = past_.keep(batch.events, broadcaster_.clients());
  const consumers::BurstRequest request = request_for(wanted);
  consumers::BurstMaker burst(request, scratch);
  burst.take(chunk, std::min(chunk->end(), wanted.until.value_or(chunk->end())));
  return take(burst.finish());
}

void EventStream::encode(const Wanted& wanted, std::string& scratch) {
  const bool envelopes = wanted.shape == Broadcaster::Shape::envelopes;
  const std::size_t begin = scratch.size();
  while (!ahead_.empty()) {
    const event::EventView& event = ahead_.front();
    if (wanted.until && event.offset >= *wanted.until) {
      seek(*wanted.until);
      return;
    }
    const std::size_t before = scratch.size();
    if (envelopes) {
      if (before > begin) {
        scratch += ',';
      }
      event::append_envelope(scratch, event);
    } else {
      consumers::append_event_text_frame(scratch, event);
    }
    if (before > begin && scratch.size() - begin > wanted.bytes_max) {
      scratch.resize(before);  // it opens the next turn
      return;
    }
    moved_to(event.offset + 1, 0);
    handed_ = next_;
    if (ahead_.size() == 1) {
      cursor_check_ = event::cursor_check(event);
    }
    ahead_ = ahead_.subspan(1);
  }
  const Offset looked_at =
      std::min(reader_->position(), wanted.until.value_or(reader_->position()));
  if (looked_at > next_) {
    moved_to(looked_at, 0);
  }
}

Result<event::Cursor> EventStream::cursor() {
  if (cursor_check_ != 0) {
    return event::Cursor{log_.log_id(), next_, cursor_check_};
  }
  VIBES_TRY_ASSIGN(cursor, log_.cursor_at(next_));
  cursor_check_ = cursor.check;
  return cursor;
}

}  // namespace vibes::net
