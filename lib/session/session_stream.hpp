// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.hpp"
#include "session/scrollback.hpp"
#include "session/session_end.hpp"

namespace vibes::session {

/// What a session has put out, where the session thread writes and the clients' threads read.
/// Thread-safe; outlives the session for as long as somebody still reads.
class SessionStream {
 public:
  using Wake = std::function<void()>;

  /// `redraw` is called, on any thread, when a client fell behind: the program should paint again.
  SessionStream(std::size_t scrollback_bytes, std::function<void()> redraw);

  struct Size {
    unsigned cols = 0;
    unsigned rows = 0;
  };

  // The session thread.
  void append(std::string_view bytes, std::int64_t unix_seconds);
  void touch(std::int64_t unix_seconds);
  void set_size(Size size);
  /// The last thing that happens to a stream; later calls change nothing.
  void finish(const SessionEnd& end);

  // Anybody.
  [[nodiscard]] Size size() const;
  [[nodiscard]] bool has_ended() const;
  [[nodiscard]] std::size_t subscribers() const;
  [[nodiscard]] std::int64_t last_activity() const;

  struct Subscription {
    std::uint64_t id = 0;
    std::uint64_t replay_from = 0;
    std::uint64_t attached_at = 0;
    Size size;
  };
  Subscription subscribe(Wake wake);
  /// When it returns the wake is not running and will not run again.
  void unsubscribe(std::uint64_t id);

  /// What lies at `position`.
  struct Look {
    bool overwritten = false;       // `position` is older than the ring: redraw
    std::string bytes;              // from `position` on, at most `bytes_max`; empty: nothing new
    std::optional<SessionEnd> end;  // set if the stream has ended and `bytes` reach its end
  };
  [[nodiscard]] Look look(std::uint64_t position, std::uint64_t until, std::size_t bytes_max) const;

  struct Tail {
    std::string bytes;
    std::uint64_t next = 0;
  };
  /// The newest output, from a line's start on; asks the program to paint again.
  Tail tail_for_redraw(std::size_t bytes_max);

 private:
  void wake_all() VIBES_REQUIRES(mutex_);
  void release_if_unread() VIBES_REQUIRES(mutex_);

  const std::function<void()> redraw_;
  mutable Mutex mutex_;
  Scrollback scrollback_ VIBES_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Wake> subscribers_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t next_id_ VIBES_GUARDED_BY(mutex_) = 1;
  Size size_ VIBES_GUARDED_BY(mutex_);
  std::int64_t last_activity_ VIBES_GUARDED_BY(mutex_) = 0;
  std::optional<SessionEnd> end_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::session
