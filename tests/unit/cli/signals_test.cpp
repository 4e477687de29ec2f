// SPDX-License-Identifier: MIT
#include "cli/signals.hpp"

#include <future>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli/output.hpp"
#include "support/catch.hpp"

using vibes::UniqueFd;
using vibes::cli::Interrupts;
using vibes::cli::Output;

namespace {

/// Runs `body` in a child whose stdout is the writing end of a pipe; gives the reading end and how
/// it ended.
struct Forked {
  pid_t pid = -1;
  UniqueFd reading;

  template <class Body>
  explicit Forked(Body body) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      (void)::dup2(ends[1], STDOUT_FILENO);
      (void)::close(ends[0]);
      (void)::close(ends[1]);
      ::_exit(body());
    }
    (void)::close(ends[1]);
    reading.reset(ends[0]);
  }
  [[nodiscard]] int wait() const {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
};

}  // namespace

TEST_CASE("signals: die_of ends the process by that signal", "[cli][signals]") {
  CHECK(Forked([]() -> int { vibes::cli::die_of(SIGINT); }).wait() == 130);
  CHECK(Forked([]() -> int { vibes::cli::die_of(SIGTERM); }).wait() == 143);
}

TEST_CASE("interrupts: a signal is told and does not kill", "[cli][signals]") {
  const Forked child([] {
    std::promise<void> changed;
    bool told = false;
    auto interrupts = Interrupts::start([&] {
      if (!std::exchange(told, true)) {
        changed.set_value();
      }
    });
    (void)::kill(::getpid(), SIGINT);
    changed.get_future().wait();
    return (*interrupts)->signal() == SIGINT ? 7 : 8;
  });
  CHECK(child.wait() == 7);
}

TEST_CASE("interrupts: a reader that goes away is noticed without a write", "[cli][signals]") {
  Forked child([] {
    std::promise<void> changed;
    auto interrupts = Interrupts::start([&] { changed.set_value(); });
    changed.get_future().wait();
    return (*interrupts)->reader_is_gone() ? 7 : 8;
  });
  child.reading.reset();
  CHECK(child.wait() == 7);
}

TEST_CASE("output: a signal ends a write to a reader that does not read", "[cli][signals]") {
  const Forked child([] {
    auto interrupts = Interrupts::start([] {});
    Output output(STDOUT_FILENO, **interrupts);
    (void)::alarm(30);  // should the write hang
    const std::string more_than_a_pipe_holds(4U << 20U, 'x');
    const auto outcome = output.write(more_than_a_pipe_holds);
    return outcome && *outcome == Output::Outcome::interrupted ? 7 : 8;
  });
  char first = 0;
  REQUIRE(::read(child.reading.get(), &first, 1) == 1);
  REQUIRE(::kill(child.pid, SIGTERM) == 0);
  CHECK(child.wait() == 7);
}

TEST_CASE("output: a reader that went away is no error", "[cli][signals]") {
  Forked child([] {
    auto interrupts = Interrupts::start([] {});
    Output output(STDOUT_FILENO, **interrupts);
    for (;;) {
      const auto outcome = output.write("line\n");
      if (!outcome || *outcome != Output::Outcome::written) {
        return outcome && *outcome == Output::Outcome::reader_gone ? 7 : 8;
      }
    }
  });
  char first = 0;
  REQUIRE(::read(child.reading.get(), &first, 1) == 1);
  child.reading.reset();
  CHECK(child.wait() == 7);
}
