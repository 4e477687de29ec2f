// SPDX-License-Identifier: MIT
#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sys/mman.h>
#include <sys/wait.h>

#include <unistd.h>

#include "base/unique_fd.hpp"
#include "cli/signals.hpp"

namespace vibes::ctl {
namespace {

/// A file in memory, read from its beginning: unlike a pipe it takes any size, and nobody must feed
/// it.
Result<UniqueFd> as_file(std::string_view input) {
  UniqueFd fd(::memfd_create("vibes-event", MFD_CLOEXEC));
  if (!fd) {
    return fail_errno("memfd_create");
  }
  while (!input.empty()) {
    const ssize_t written = ::write(fd.get(), input.data(), input.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("cannot pass the event on");
    }
    input.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return fail_errno("lseek");
  }
  return fd;
}

[[noreturn]] void become(const std::string& command, int input, std::vector<char*>& environment) {
  cli::reset_signals();
  (void)::dup2(input, STDIN_FILENO);
  (void)::execle("/bin/sh", "sh", "-c", command.c_str(), nullptr, environment.data());
  ::_exit(127);
}

}  // namespace

Result<Child> Child::start(const std::string& command, std::string_view input,
                           const Environment& environment) {
  VIBES_TRY_ASSIGN(file, as_file(input));
  // Everything that allocates happens before fork(2): another thread may hold the allocator's lock.
  std::vector<std::string> added;
  added.reserve(environment.size());
  for (const auto& [name, value] : environment) {
    added.emplace_back(name).append("=").append(value);
  }
  std::vector<char*> all;
  all.reserve(added.size());
  for (std::string& entry : added) {
    all.push_back(entry.data());
  }
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    all.push_back(*entry);
  }
  all.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("fork");
  }
  if (pid == 0) {
    become(command, file.get(), all);
  }
  return Child(pid);
}

Child::~Child() {
  if (pid_ > 0 && !poll()) {
    (void)::kill(pid_, SIGTERM);
    (void)::waitpid(pid_, nullptr, 0);
  }
}

std::optional<int> Child::poll() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) {
    return std::nullopt;
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace vibes::ctl
