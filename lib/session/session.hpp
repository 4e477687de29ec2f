// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "session/pty.hpp"
#include "session/session_stream.hpp"

namespace vibes::session {

/// A running program, its terminal and the way from the one to the other's stream. Owned by the
/// session thread and used by nobody else; what clients see of it is the SessionStream.
class Session {
 public:
  Session(std::uint64_t serial, std::string id, Pty pty, std::shared_ptr<SessionStream> stream)
      : serial_(serial), id_(std::move(id)), pty_(std::move(pty)), stream_(std::move(stream)) {}

  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] Pty& pty() { return pty_; }
  [[nodiscard]] SessionStream& stream() { return *stream_; }

  enum class Output { more, drained, no_writer };
  /// Moves what the program has put out into the stream: at most `bytes_max`, through `buffer`. The
  /// stream is a ring, so reading never waits for readers.
  Output read_output(std::span<char> buffer, std::size_t bytes_max, std::int64_t unix_seconds);

  /// Takes all of it. `room` is called, once, when what the terminal has not taken of this and of
  /// what came before it is at most limits::kPtyInputQueueBytesMax: at once, or out of
  /// write_input() or drop_input().
  void queue_input(std::string_view bytes, std::function<void()> room);
  /// Writes what the terminal takes.
  void write_input();
  /// Nobody is left to read it.
  void drop_input();
  [[nodiscard]] bool has_input() const { return !input_.empty(); }

  Result<void> resize(TerminalSize size);

  // What the session thread remembers about it; deadlines on the clock's steady_ns().
  bool removed = false;       // session_removed was appended, nobody sees it any more
  bool asked_to_end = false;  // hung up on, by a kill or the server's stop
  bool reaped = false;
  bool watched = false;  // whether the master is in the epoll set
  std::optional<std::int64_t> watch_again_at_ns;
  std::optional<std::int64_t> kill_at_ns;

 private:
  struct WaitsForRoom {
    std::uint64_t until = 0;  // as taken_
    std::function<void()> room;
  };
  void tell_room();

  std::uint64_t serial_;
  std::string id_;
  Pty pty_;
  std::shared_ptr<SessionStream> stream_;  // shared with the table and the attachments
  std::string input_;
  std::uint64_t taken_ = 0;  // bytes of input that the terminal has taken, or that were dropped
  std::deque<WaitsForRoom> waiting_;  // in the order of `until`
};

}  // namespace vibes::session
