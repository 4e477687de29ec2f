// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vibes::session {

class Session;

/// How a session ended.
struct SessionEnd {
  std::optional<int> exit_code;  // nothing when a signal ended it, or it was killed
  std::optional<int> signal;     // the signal that ended it
};

/// One client's view of one session's output: a cursor into the session's scrollback, never a
/// queue. A client that is too slow for the ring gets a redraw in place of what was overwritten.
///
/// Belongs to one thread (the client's net thread) except for its destruction, which may happen
/// anywhere. Dropping the last reference detaches.
class Attachment {
 public:
  /// Called on any thread when next() may have something new. Must be short and must not call back.
  using Wake = std::function<void()>;

  Attachment(std::shared_ptr<Session> session, Wake wake);
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment();

  /// What was there at the attach.
  [[nodiscard]] unsigned cols() const { return cols_; }
  [[nodiscard]] unsigned rows() const { return rows_; }

  /// Until this is called next() has no output, unless the session has ended: what came before the
  /// attach goes out first, as one replay, so that replay and output together are the stream, each
  /// byte once.
  void release_replay() { released_ = true; }
  [[nodiscard]] bool replay_pending() const { return !replayed_; }

  struct Piece {
    enum class Kind : std::uint8_t {
      replay,  // the scrollback up to the attach, possibly empty
      redraw,  // the client fell behind the ring: a terminal reset and what the ring still has
      output,
      end,  // nothing follows
    };
    Kind kind = Kind::output;
    std::string bytes;
    SessionEnd end;
  };
  /// The next thing to send; output in pieces of at most `bytes_max`. Nothing: wait for the wake.
  std::optional<Piece> next(std::size_t bytes_max);

 private:
  std::shared_ptr<Session> session_;
  std::uint64_t id_ = 0;        // as the session knows us
  std::uint64_t position_ = 0;  // of the stream: the next byte to send
  unsigned cols_ = 0;
  unsigned rows_ = 0;
  bool released_ = false;
  bool replayed_ = false;
  bool ended_ = false;
};

}  // namespace vibes::session
