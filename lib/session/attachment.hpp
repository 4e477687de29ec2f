// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "session/session_end.hpp"

namespace vibes::session {

class SessionStream;

/// One client's view of one session's output: a cursor into the session's scrollback, never a
/// queue. What was there before the attach comes first, as replay, then what follows, as output;
/// together they are the stream, each byte once. A client too slow for the ring gets a redraw in
/// place of what was overwritten.
///
/// Belongs to one thread at a time (the client's net thread). Dropping the last reference detaches,
/// on any thread.
class Attachment {
 public:
  /// Called on any thread when next() may have something new. Must be short and must not call back.
  using Wake = std::function<void()>;

  Attachment(std::shared_ptr<SessionStream> stream, Wake wake);
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment();

  /// The terminal's size at the attach.
  [[nodiscard]] unsigned cols() const { return cols_; }
  [[nodiscard]] unsigned rows() const { return rows_; }

  /// Whether there was output before the attach. Then next() holds everything back until
  /// release_replay(), unless the session ends: the client may first want to tell its size.
  [[nodiscard]] bool has_replay() const { return replay_from_ < attached_at_; }
  void release_replay() { released_ = true; }
  [[nodiscard]] bool is_released() const { return released_; }
  [[nodiscard]] bool is_replaying() const { return position_ < attached_at_; }
  /// Whether the session puts nothing out any more; what it did may still have to be sent. Its
  /// session_removed is appended only afterwards.
  [[nodiscard]] bool has_ended() const;

  struct Piece {
    enum class Kind : std::uint8_t {
      replay,  // scrollback from before the attach
      redraw,  // a terminal reset and the newest of what the ring has: the client fell behind
      output,
      end,  // nothing follows
    };
    Kind kind = Kind::output;
    std::string bytes;
    SessionEnd end;
  };
  /// The next thing to send, of at most `bytes_max` (and at least 64) bytes. Nothing: wait for the
  /// wake.
  std::optional<Piece> next(std::size_t bytes_max);

 private:
  Piece redraw();

  std::shared_ptr<SessionStream>
      stream_;                     // shared with the session thread and the other attachments
  std::uint64_t id_ = 0;           // as the stream knows us
  std::uint64_t replay_from_ = 0;  // positions of the stream
  std::uint64_t attached_at_ = 0;
  std::uint64_t position_ = 0;  // the next byte to send
  unsigned cols_ = 0;
  unsigned rows_ = 0;
  bool released_ = false;
  bool ended_ = false;
};

}  // namespace vibes::session
