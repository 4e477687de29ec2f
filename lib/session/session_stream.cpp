// SPDX-License-Identifier: MIT
#include "session/session_stream.hpp"

#include <algorithm>
#include <utility>

namespace vibes::session {

SessionStream::SessionStream(std::size_t scrollback_bytes, std::function<void()> redraw)
    : redraw_(std::move(redraw)), scrollback_(scrollback_bytes) {}

void SessionStream::wake_all() {
  for (const auto& [id, wake] : subscribers_) {
    wake();
  }
}

void SessionStream::release_if_unread() {
  if (end_ && subscribers_.empty()) {
    scrollback_.clear();
  }
}

void SessionStream::append(std::string_view bytes, std::int64_t unix_seconds) {
  const MutexLock lock(mutex_);
  if (end_) {
    return;
  }
  scrollback_.append(bytes);
  last_activity_ = unix_seconds;
  wake_all();
}

void SessionStream::touch(std::int64_t unix_seconds) {
  const MutexLock lock(mutex_);
  last_activity_ = unix_seconds;
}

void SessionStream::set_size(Size size) {
  const MutexLock lock(mutex_);
  size_ = size;
}

void SessionStream::finish(const SessionEnd& end) {
  const MutexLock lock(mutex_);
  if (end_) {
    return;
  }
  end_ = end;
  wake_all();
  release_if_unread();
}

SessionStream::Size SessionStream::size() const {
  const MutexLock lock(mutex_);
  return size_;
}

bool SessionStream::has_ended() const {
  const MutexLock lock(mutex_);
  return end_.has_value();
}

std::size_t SessionStream::subscribers() const {
  const MutexLock lock(mutex_);
  return subscribers_.size();
}

std::int64_t SessionStream::last_activity() const {
  const MutexLock lock(mutex_);
  return last_activity_;
}

SessionStream::Subscription SessionStream::subscribe(Wake wake) {
  const MutexLock lock(mutex_);
  const std::uint64_t id = next_id_++;
  subscribers_.emplace(id, std::move(wake));
  return {.id = id,
          .replay_from = scrollback_.clean_start(scrollback_.begin()),
          .attached_at = scrollback_.end(),
          .size = size_};
}

void SessionStream::unsubscribe(std::uint64_t id) {
  const MutexLock lock(mutex_);
  subscribers_.erase(id);
  release_if_unread();
}

SessionStream::Look SessionStream::look(std::uint64_t position, std::uint64_t until,
                                        std::size_t bytes_max) const {
  const MutexLock lock(mutex_);
  Look look;
  if (position < scrollback_.begin()) {
    look.overwritten = true;
    return look;
  }
  const std::uint64_t available = std::min(until, scrollback_.end());
  const std::uint64_t to = std::min(available, position + bytes_max);
  look.bytes = scrollback_.copy(position, to);
  if (to < available) {
    // More follows at once: do not cut a character in two for clients that decode piece by piece.
    look.bytes.resize(look.bytes.size() - incomplete_utf8_tail(look.bytes));
    if (look.bytes.empty()) {
      look.bytes = scrollback_.copy(position, to);
    }
  }
  if (position + look.bytes.size() == scrollback_.end()) {
    look.end = end_;
  }
  return look;
}

SessionStream::Tail SessionStream::tail_for_redraw(std::size_t bytes_max) {
  Tail tail;
  {
    const MutexLock lock(mutex_);
    tail.next = scrollback_.end();
    const std::uint64_t oldest = tail.next > bytes_max ? tail.next - bytes_max : 0;
    const std::uint64_t from = scrollback_.clean_start(std::max(oldest, scrollback_.begin()));
    tail.bytes = scrollback_.copy(from, tail.next);
  }
  redraw_();
  return tail;
}

}  // namespace vibes::session
