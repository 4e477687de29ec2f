// SPDX-License-Identifier: MIT
#include "session/pty.hpp"

#include <array>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "session/errc.hpp"
#include "support/catch.hpp"

namespace vibes::session {
namespace {

constexpr int kPatienceMs = 20'000;

ChildImage script(const std::string& text) {
  return {.program = "/bin/sh",
          .argv = {"sh", "-c", text},
          .environment = {"PATH=/usr/bin:/bin", "MARK=here"},
          .cwd = "/",
          .umask = 027};
}

Pty spawn(const ChildImage& image, TerminalSize size = {.cols = 80, .rows = 24}) {
  auto pty = Pty::spawn(image, size);
  if (!pty) {
    FAIL(pty.error().message());
  }
  return *std::move(pty);
}

void await(int fd, short events) {
  pollfd wait{.fd = fd, .events = events, .revents = 0};
  REQUIRE(::poll(&wait, 1, kPatienceMs) == 1);
}

/// All output until the child has ended, and how it ended.
struct Outcome {
  std::string output;
  SessionEnd end;
};
Outcome run_to_end(Pty& pty) {
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (;;) {
    const Pty::Read got = pty.read(buffer);
    if (got.kind == Pty::Read::Kind::data) {
      outcome.output.append(buffer.data(), got.bytes);
    } else if (const auto end = pty.reap()) {
      outcome.end = *end;
      for (Pty::Read rest = pty.read(buffer); rest.kind == Pty::Read::Kind::data;
           rest = pty.read(buffer)) {
        outcome.output.append(buffer.data(), rest.bytes);
      }
      return outcome;
    } else if (got.kind == Pty::Read::Kind::no_writer) {
      await(pty.pidfd(), POLLIN);
    } else {
      std::array<pollfd, 2> wait{pollfd{.fd = pty.master(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = pty.pidfd(), .events = POLLIN, .revents = 0}};
      REQUIRE(::poll(wait.data(), wait.size(), kPatienceMs) > 0);
    }
  }
}

Outcome run(const std::string& text) {
  Pty pty = spawn(script(text));
  return run_to_end(pty);
}

TEST_CASE("Pty: the program's output and exit code arrive", "[session][pty]") {
  const Outcome outcome = run("echo hello; exit 3");
  CHECK(outcome.output == "hello\r\n");
  CHECK(outcome.end.exit_code == 3);
  CHECK(!outcome.end.signal);
  CHECK(outcome.end.status() == 3);
}

TEST_CASE("Pty: an end by a signal is told as one", "[session][pty]") {
  const Outcome outcome = run("kill -TERM $$");
  CHECK(!outcome.end.exit_code);
  CHECK(outcome.end.signal == SIGTERM);
  CHECK(outcome.end.status() == 143);
}

TEST_CASE("Pty: the child leads a session on a terminal of the size asked for", "[session][pty]") {
  Pty pty =
      spawn(script("stty size; tty; test \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ && echo lead"),
            {.cols = 132, .rows = 43});
  const Outcome outcome = run_to_end(pty);
  CHECK(outcome.output.find("43 132\r\n") == 0);
  CHECK(outcome.output.find("/dev/pts/") != std::string::npos);
  CHECK(outcome.output.find("lead\r\n") != std::string::npos);
}

TEST_CASE("Pty: the child has its environment, cwd, umask and nothing of ours", "[session][pty]") {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, as a library might
  REQUIRE(leak.get() > 2);
  const Outcome outcome =
      run("echo $MARK; pwd; umask; ls /proc/self/fd | tr '\\n' ' '; echo; env | wc -l");
  // ls itself has the directory open as 3.
  CHECK(outcome.output.find("here\r\n/\r\n0027\r\n0 1 2 3 \r\n") == 0);
}

TEST_CASE("Pty: the child has no signal blocked or ignored", "[session][pty]") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGPIPE, &ignore, &before) == 0);
  sigset_t block;
  sigset_t mask;
  sigemptyset(&block);
  sigaddset(&block, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &block, &mask);
  const Outcome outcome = run("grep -E 'Sig(Blk|Ign)' /proc/self/status");
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(SIGPIPE, &before, nullptr);
  CHECK(outcome.output == "SigBlk:\t0000000000000000\r\nSigIgn:\t0000000000000000\r\n");
}

TEST_CASE("Pty: every byte passes, NUL and broken UTF-8 included", "[session][pty]") {
  const Outcome outcome = run("stty raw; printf 'a\\000b\\377\\342\\202\\254'");
  CHECK(outcome.output == std::string("a\0b\xff\xe2\x82\xac", 7));
}

TEST_CASE("Pty: input reaches the program, and editing knows UTF-8", "[session][pty]") {
  Pty pty = spawn(script("stty -echo; echo ready; read line; printf '%s' \"$line\" | od -An -tx1"));
  std::string output;
  std::array<char, 4096> buffer{};
  while (output.find("ready") == std::string::npos) {
    await(pty.master(), POLLIN);
    const Pty::Read got = pty.read(buffer);
    output.append(buffer.data(), got.bytes);
  }
  // One erase takes away both bytes of the umlaut.
  REQUIRE(pty.write("a\xc3\xa4\x7f"
                    "b\n") == 6);
  CHECK(run_to_end(pty).output.find(" 61 62") != std::string::npos);
}

TEST_CASE("Pty: a resize is seen by the program", "[session][pty]") {
  Pty pty = spawn(script("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"));
  std::array<char, 4096> buffer{};
  await(pty.master(), POLLIN);
  (void)pty.read(buffer);
  REQUIRE(pty.resize({.cols = 100, .rows = 50}));
  CHECK(run_to_end(pty).output.find("50 100") != std::string::npos);
}

TEST_CASE("Pty: a program or a directory that is missing is an error before anything runs",
          "[session][pty]") {
  ChildImage image = script("true");
  image.program = "/nonexistent/program";
  auto pty = Pty::spawn(image, {.cols = 80, .rows = 24});
  REQUIRE(!pty);
  CHECK(pty.error().code == Errc::bad_command);
  CHECK(pty.error().message().find("No such file") != std::string::npos);

  image = script("true");
  image.cwd = "/nonexistent";
  pty = Pty::spawn(image, {.cols = 80, .rows = 24});
  REQUIRE(!pty);
  CHECK(pty.error().code == Errc::bad_cwd);
}

TEST_CASE("Pty: hanging up ends the group, killing ends who ignored it", "[session][pty]") {
  SECTION("SIGHUP is enough, also for who is stopped") {
    Pty pty = spawn(script("echo up; kill -STOP $$"));
    await(pty.master(), POLLIN);
    pty.hang_up();
    CHECK(run_to_end(pty).end.signal == SIGHUP);
  }
  SECTION("SIGHUP is ignored") {
    Pty pty = spawn(script("trap '' HUP; echo up; while :; do sleep 1; done"));
    await(pty.master(), POLLIN);
    pty.hang_up();
    CHECK(!pty.reap());
    pty.kill();
    CHECK(run_to_end(pty).end.signal == SIGKILL);
  }
}

}  // namespace
}  // namespace vibes::session
