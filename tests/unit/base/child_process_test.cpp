// SPDX-License-Identifier: MIT
#include "base/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vibes {
namespace {

using Kind = ChildEnd::Kind;
using Output = ChildOptions::Output;

constexpr std::chrono::seconds kLong{60};

ChildOptions capturing(const std::string& command) {
  return {.command = command,
          .out = Output::capture,
          .err = Output::capture,
          .out_bytes_max = 1'000'000,
          .err_bytes_max = 100};
}

ChildEnd run(const ChildOptions& options, std::chrono::milliseconds within = kLong) {
  auto child = ChildProcess::start(options);
  REQUIRE(child.has_value());
  return child->wait({.within = within});
}

/// Whether the process that wrote its number into this file is gone; waits for init to reap it.
bool is_gone(const std::filesystem::path& pid_file) {
  std::ifstream file(pid_file);
  pid_t pid = 0;
  file >> pid;
  REQUIRE(pid > 1);
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  status >> number >> name >> state;
  return !status || state == "Z" || state == "X";
}

TEST_CASE("ChildProcess: takes its input and gives its outputs and its status", "[base][child]") {
  ChildOptions options = capturing("cat; echo trouble >&2; exit 3");
  const std::string input(500'000, 'x');  // more than a pipe holds
  options.input = input;
  const ChildEnd end = run(options);
  CHECK(end.kind == Kind::exited);
  CHECK(end.number == 3);
  CHECK(end.out == input);
  CHECK(end.err == "trouble\n");
  CHECK(to_string(end) == "exit status 3");
  CHECK(!end.succeeded());
}

TEST_CASE("ChildProcess: a command that does not read its input harms nobody", "[base][child]") {
  ChildOptions options = capturing("true");
  const std::string input(500'000, 'x');
  options.input = input;
  CHECK(run(options).succeeded());
}

TEST_CASE("ChildProcess: a variable is there once, ours gives way", "[base][child]") {
  REQUIRE(::setenv("VIBES_CHILD_TEST", "ours", 1) == 0);
  ChildOptions options = capturing("tr '\\0' '\\n' < /proc/$$/environ | grep ^VIBES_CHILD_TEST");
  options.environment = {{"VIBES_CHILD_TEST", "given; $(date)"}};
  CHECK(run(options).out == "VIBES_CHILD_TEST=given; $(date)\n");
  ::unsetenv("VIBES_CHILD_TEST");
}

TEST_CASE("ChildProcess: what takes too long is killed with all it started", "[base][child]") {
  const test::TempDir dir;
  const auto pid_file = dir.path() / "pid";
  const auto started = dir.path() / "started";
  REQUIRE(::mkfifo(started.c_str(), 0600) == 0);
  auto child =
      ChildProcess::start(capturing("(trap '' TERM; sh -c 'echo $$ > " + pid_file.string() +
                                    "; echo > " + started.string() + "; exec sleep 1000') & wait"));
  REQUIRE(child.has_value());
  std::string line;
  std::getline(std::ifstream(started), line);  // until the grandchild has told its number
  const ChildEnd end = child->wait({.within = std::chrono::milliseconds(1)});
  CHECK(end.kind == Kind::too_slow);
  CHECK(to_string(end) == "took too long and was killed");
  while (!is_gone(pid_file)) {  // it is killed; when it is gone is the kernel's business
  }
}

TEST_CASE("ChildProcess: who prints more than is wanted is killed", "[base][child]") {
  ChildOptions options = capturing("yes");
  options.out_bytes_max = 1'000;
  const ChildEnd end = run(options);
  CHECK(end.kind == Kind::too_much);
  CHECK(end.out.size() == 1'000);
}

TEST_CASE("ChildProcess: of a long stderr the beginning is kept", "[base][child]") {
  const ChildEnd end = run(capturing("head -c 300000 /dev/zero | tr '\\0' e >&2; echo done"));
  CHECK(end.succeeded());
  CHECK(end.err == std::string(100, 'e'));
  CHECK(end.out == "done\n");
}

TEST_CASE("ChildProcess: a wait is over at once when it is to stop", "[base][child]") {
  const UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
  auto child = ChildProcess::start(capturing("sleep 1000"));
  REQUIRE(child.has_value());
  CHECK(child->wait({.within = kLong, .stop_fd = stop.get()}).kind == Kind::stopped);
}

TEST_CASE("ChildProcess: a command that ends while its offspring holds the pipe is not waited for",
          "[base][child]") {
  const ChildEnd end = run(capturing("sleep 1000 & echo $!"));
  CHECK(end.succeeded());
  CHECK(::kill(std::stoi(end.out), SIGKILL) == 0);
}

TEST_CASE("ChildProcess: starts with no signal blocked or ignored, and with our files closed",
          "[base][child]") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t old;
  (void)sigemptyset(&blocked);
  (void)sigaddset(&blocked, SIGTERM);
  (void)pthread_sigmask(SIG_BLOCK, &blocked, &old);
  // A shell that ignores a signal from its start cannot trap it.
  const ChildEnd end =
      run(capturing("trap 'echo pipe' PIPE; kill -PIPE $$; grep ^SigBlk /proc/self/status;"
                    "ls -l /proc/self/fd | grep -c memfd:vibes-input"));
  (void)pthread_sigmask(SIG_SETMASK, &old, nullptr);
  (void)::signal(SIGPIPE, before);
  CHECK(end.out == "pipe\nSigBlk:\t0000000000000000\n1\n");  // 1: its stdin
}

TEST_CASE("ChildProcess: a signal that killed it is told", "[base][child]") {
  const ChildEnd end = run(capturing("kill -9 $$"));
  CHECK(end.kind == Kind::signalled);
  CHECK(to_string(end) == "killed by signal 9");
}

TEST_CASE("ChildProcess: a command that is left is ended", "[base][child]") {
  const auto group = GENERATE(ChildOptions::Group::own, ChildOptions::Group::ours);
  const test::TempDir dir;
  const auto started = dir.path() / "started";
  REQUIRE(::mkfifo(started.c_str(), 0600) == 0);
  std::string pid;
  {
    auto child = ChildProcess::start(
        {.command = "echo $$ > " + started.string() + "; exec sleep 1000", .group = group});
    REQUIRE(child.has_value());
    std::getline(std::ifstream(started), pid);
    CHECK(!child->poll());
  }
  CHECK(::kill(std::stoi(pid), 0) != 0);
  CHECK(errno == ESRCH);
}

}  // namespace
}  // namespace vibes
