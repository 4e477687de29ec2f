// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <sys/types.h>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "session/child_image.hpp"
#include "session/session_end.hpp"

namespace vibes::session {

struct TerminalSize {
  unsigned cols = 0;
  unsigned rows = 0;
};

/// A program in a terminal of its own: the master side of a PTY and the child that leads a new
/// session (setsid) on the slave side. Neither descriptor blocks. Not thread-safe; all children of
/// a process should be started by one thread, because a descriptor without O_CLOEXEC exists for a
/// moment.
class Pty {
 public:
  /// Forks and waits until the program runs, or says why it does not. Errors: Errc::bad_cwd,
  /// bad_command or spawn_failed.
  static Result<Pty> spawn(const ChildImage& image, TerminalSize size);

  Pty(Pty&&) = default;
  Pty& operator=(Pty&&) = default;
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  /// Closes the terminal, which hangs up on whoever is left in it. Does not wait and does not reap.
  ~Pty() = default;

  [[nodiscard]] int master() const { return master_.get(); }
  /// Readable once the child has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

  struct Read {
    enum class Kind { data, nothing_yet, no_writer };
    Kind kind = Kind::nothing_yet;
    std::size_t bytes = 0;
  };
  /// no_writer: nobody has the slave side open now; somebody may open it again while the child
  /// lives.
  Read read(std::span<char> into);
  /// How many bytes the terminal took, possibly none.
  std::size_t write(std::string_view bytes);
  Result<void> resize(TerminalSize size);

  /// SIGWINCH for the foreground program, so that it paints again.
  void ask_to_repaint();
  /// SIGHUP, and SIGCONT for who is stopped, to the child's process group and the foreground one.
  void hang_up();
  /// SIGKILL to both. Safe after reap() as long as the group has members.
  void kill();
  /// Whether anybody is left in the child's process group.
  [[nodiscard]] bool group_alive() const;
  /// Takes the child's status if it has ended. After that pid() may be another process.
  std::optional<SessionEnd> reap();

 private:
  Pty(UniqueFd master, UniqueFd pidfd, pid_t pid)
      : master_(std::move(master)), pidfd_(std::move(pidfd)), pid_(pid) {}
  void signal_groups(int signal);

  UniqueFd master_;
  UniqueFd pidfd_;
  pid_t pid_;
};

}  // namespace vibes::session
