// SPDX-License-Identifier: MIT
#include "verify/program_run.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "verify/argv.hpp"
#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

/// Files in memory take what a pipe would: nobody has to read or write while the program runs.
struct Streams {
  std::array<UniqueFd, 3> files;  // standard input, output and error

  static Result<Streams> make(std::string_view input) {
    Streams streams;
    for (UniqueFd& file : streams.files) {
      file.reset(::memfd_create("vibes-verify", MFD_CLOEXEC));
      if (!file) {
        return fail_errno("memfd_create");
      }
    }
    if (::pwrite(streams.files[0].get(), input.data(), input.size(), 0) !=
        static_cast<ssize_t>(input.size())) {
      return fail_errno("a program's standard input");
    }
    return streams;
  }

  [[nodiscard]] std::string text(std::size_t stream) const {
    std::string text;
    std::array<char, 4096> piece{};
    ssize_t got = 0;
    while ((got = ::pread(files.at(stream).get(), piece.data(), piece.size(),
                          static_cast<off_t>(text.size()))) > 0) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
};

Result<pid_t> spawn(const ProgramRun& run, const Streams& streams) {
  std::vector<std::string> arguments = {run.program};
  arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
  std::vector<std::string> environment = run.environment;
  posix_spawn_file_actions_t actions{};
  (void)::posix_spawn_file_actions_init(&actions);
  for (int stream = 0; stream < 3; ++stream) {
    (void)::posix_spawn_file_actions_adddup2(
        &actions, streams.files.at(static_cast<std::size_t>(stream)).get(), stream);
  }
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, run.program.c_str(), &actions, nullptr,
                                   pointers_to(arguments).data(), pointers_to(environment).data());
  (void)::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return fail_errno(failed, run.program);
  }
  return pid;
}

}  // namespace

Result<ProgramOutput> run_program(const ProgramRun& run, client::Deadline deadline) {
  VIBES_TRY_ASSIGN(streams, Streams::make(run.input));
  VIBES_TRY_ASSIGN(pid, spawn(run, streams));
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd waiting{pidfd.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(client::left_until(deadline).count()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) {
    (void)::kill(pid, SIGKILL);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) {
    return fail_errno("waitpid");
  }
  if (ready <= 0) {
    return fail(Errc::timeout, fmt::format("{} did not end", run.program.string()));
  }
  return ProgramOutput{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                       .out = streams.text(1),
                       .err = streams.text(2)};
}

}  // namespace vibes::verify
