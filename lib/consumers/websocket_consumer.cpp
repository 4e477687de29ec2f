// SPDX-License-Identifier: MIT
#include "consumers/websocket_consumer.hpp"

#include <utility>

namespace vibes::consumers {

WebsocketConsumer::WebsocketConsumer(eventlog::EventLog& log, Broadcaster& broadcaster)
    : log_(log), broadcaster_(broadcaster), position_(log.end().value()) {
  broadcaster_.restart_at(BroadcastPasskey(), position());
}

Offset WebsocketConsumer::pump() {
  const Offset end = log_.end();
  if (position() >= end) {
    return position();
  }
  const MutexLock lock(pumping_);
  if (position() >= end) {
    return position();
  }
  if (broadcaster_.clients() == 0) {
    skip_to(end);
    return position();
  }
  auto done = broadcast_up_to(end);
  problem_ = done ? std::string() : done.error().message();
  if (!done) {
    reader_.reset();  // a fresh one next time, in case it is the reader that is stuck
  }
  return position();
}

void WebsocketConsumer::skip_to(Offset end) {
  reader_.reset();
  problem_.clear();
  broadcaster_.restart_at(BroadcastPasskey(), end);
  position_ = end.value();
}

Result<void> WebsocketConsumer::broadcast_up_to(Offset end) {
  if (reader_ == nullptr) {
    VIBES_TRY_ASSIGN(opened, log_.reader(position()));
    reader_ = std::move(opened);
  }
  while (position() < end) {
    VIBES_TRY_ASSIGN(batch, reader_->read({}));
    if (batch.gap) {
      broadcaster_.restart_at(BroadcastPasskey(), batch.gap->to);
    }
    for (const event::EventView& event : batch.events) {
      broadcaster_.broadcast_event(BroadcastPasskey(), event);
    }
    if (reader_->position() == position()) {
      break;  // the log's end is ahead of what it lets us read: the next call goes on
    }
    position_ = reader_->position().value();
  }
  return {};
}

std::string WebsocketConsumer::problem() const {
  const MutexLock lock(pumping_);
  return problem_;
}

}  // namespace vibes::consumers
