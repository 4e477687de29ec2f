// SPDX-License-Identifier: MIT
#include "session/session.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vibes::session {

Session::Output Session::read_output(std::span<char> buffer, std::size_t bytes_max,
                                     std::int64_t unix_seconds) {
  std::size_t total = 0;
  while (total < bytes_max) {
    const Pty::Read got = pty_.read(buffer);
    if (got.kind == Pty::Read::Kind::nothing_yet) {
      return Output::drained;
    }
    if (got.kind == Pty::Read::Kind::no_writer) {
      return Output::no_writer;
    }
    stream_->append({buffer.data(), got.bytes}, unix_seconds);
    total += got.bytes;
  }
  return Output::more;
}

void Session::queue_input(std::string_view bytes, std::function<void()> room) {
  input_ += bytes;
  const std::uint64_t end = taken_ + input_.size();
  const std::uint64_t until = end - std::min<std::uint64_t>(end, limits::kPtyInputQueueBytesMax);
  waiting_.push_back({.until = until, .room = std::move(room)});
  write_input();
}

void Session::write_input() {
  std::size_t written = 0;
  while (written < input_.size()) {
    const std::size_t taken = pty_.write(std::string_view(input_).substr(written));
    if (taken == 0) {
      break;
    }
    written += taken;
  }
  input_.erase(0, written);
  taken_ += written;
  tell_room();
}

void Session::drop_input() {
  taken_ += input_.size();
  input_.clear();
  tell_room();
}

void Session::tell_room() {
  while (!waiting_.empty() && waiting_.front().until <= taken_) {
    const std::function<void()> room = std::move(waiting_.front().room);
    waiting_.pop_front();
    room();
  }
}

Result<void> Session::resize(TerminalSize size) {
  VIBES_TRY(pty_.resize(size));
  stream_->set_size({.cols = size.cols, .rows = size.rows});
  return {};
}

}  // namespace vibes::session
