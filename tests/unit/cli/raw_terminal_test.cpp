// SPDX-License-Identifier: MIT
#include "cli/raw_terminal.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "cli/term.hpp"
#include "support/catch.hpp"

using vibes::UniqueFd;
using vibes::cli::RawTerminal;

namespace {

/// A terminal of the test's own.
struct Pty {
  Pty() {
    int ends[2] = {-1, -1};
    winsize size{};
    size.ws_col = 77;
    size.ws_row = 33;
    REQUIRE(::openpty(&ends[0], &ends[1], nullptr, nullptr, &size) == 0);
    master.reset(ends[0]);
    slave.reset(ends[1]);
    before = settings();
  }
  [[nodiscard]] termios settings() const {
    termios now{};
    REQUIRE(::tcgetattr(slave.get(), &now) == 0);
    return now;
  }
  [[nodiscard]] bool is_raw() const {
    return (settings().c_lflag & (ECHO | ICANON | ISIG)) == 0 && (settings().c_oflag & OPOST) == 0;
  }
  [[nodiscard]] bool is_as_before() const {
    const termios now = settings();
    return now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag &&
           now.c_cflag == before.c_cflag && now.c_lflag == before.c_lflag &&
           std::memcmp(now.c_cc, before.c_cc, sizeof now.c_cc) == 0;
  }

  UniqueFd master;
  UniqueFd slave;
  termios before{};
};

}  // namespace

TEST_CASE("RawTerminal: raw while it lives, and as it was behind it", "[cli][terminal]") {
  const Pty pty;
  CHECK_FALSE(pty.is_raw());
  {
    const auto raw = RawTerminal::enter(pty.slave.get());
    REQUIRE(raw);
    CHECK(pty.is_raw());
    (*raw)->restore();
    CHECK(pty.is_as_before());
    (*raw)->enter_again();
    CHECK(pty.is_raw());
  }
  CHECK(pty.is_as_before());
}

TEST_CASE("RawTerminal: what is no terminal is refused", "[cli][terminal]") {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK_FALSE(RawTerminal::enter(null.get()));
  CHECK_FALSE(vibes::cli::terminal_size(null.get()));
}

TEST_CASE("RawTerminal: a crash puts it back and is still that crash", "[cli][terminal]") {
  const Pty pty;
  const int signal = GENERATE(SIGABRT, SIGSEGV, SIGFPE);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    // Whoever else has handlers for these (a sanitizer) is not what is tested.
    (void)std::signal(signal, SIG_DFL);
    const auto raw = RawTerminal::enter(pty.slave.get());
    if (!raw || !pty.is_raw()) {
      ::_exit(1);
    }
    (void)::raise(signal);
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == signal);
  CHECK(pty.is_as_before());
}

TEST_CASE("terminal_size: columns and rows", "[cli][terminal]") {
  const Pty pty;
  const auto size = vibes::cli::terminal_size(pty.slave.get());
  REQUIRE(size);
  CHECK(size->cols == 77);
  CHECK(size->rows == 33);
}
