// SPDX-License-Identifier: MIT
#include "base/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

namespace vibes {
namespace {

using Output = ChildOptions::Output;

constexpr std::size_t kReadBytes = 16'384;

struct Pipe {
  UniqueFd reading;  // not blocking
  UniqueFd writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return fail_errno("pipe");
  }
  Pipe made{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // Ours only: the command expects a pipe that blocks.
  if (::fcntl(made.reading.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail_errno("fcntl");
  }
  return made;
}

Result<UniqueFd> as_file(std::string_view input) {
  UniqueFd fd(::memfd_create("vibes-input", MFD_CLOEXEC));
  if (!fd) {
    return fail_errno("memfd_create");
  }
  while (!input.empty()) {
    const ssize_t written = ::write(fd.get(), input.data(), input.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("cannot pass the input on");
    }
    input.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return fail_errno("lseek");
  }
  return fd;
}

/// One entry for each name: of two, shells take the first or the last as they like.
std::vector<std::string> environment_with(const ChildOptions::Environment& added) {
  std::vector<std::string> entries;
  entries.reserve(added.size());
  for (const auto& [name, value] : added) {
    entries.emplace_back(name).append("=").append(value);
  }
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::none_of(added, [name](const auto& one) { return one.first == name; })) {
      entries.emplace_back(text);
    }
  }
  return entries;
}

/// What posix_spawn(3) is told; it keeps the rules of a process with threads between its fork and
/// its exec for us.
class SpawnSetup {
 public:
  SpawnSetup() {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawnattr_init(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }

  void give(int ours, int its) { (void)::posix_spawn_file_actions_adddup2(&actions_, ours, its); }

  void give_output(Output kind, const Pipe& pipe, int its) {
    if (kind == Output::capture) {
      give(pipe.writing.get(), its);
    } else if (kind == Output::discard) {
      (void)::posix_spawn_file_actions_addopen(&actions_, its, "/dev/null", O_WRONLY, 0);
    }
  }

  void set_process(ChildOptions::Group group) {
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)::posix_spawnattr_setsigmask(&attributes_, &signals);
    (void)sigfillset(&signals);
    (void)::posix_spawnattr_setsigdefault(&attributes_, &signals);
    (void)::posix_spawnattr_setpgroup(&attributes_, 0);
    const int own = group == ChildOptions::Group::own ? POSIX_SPAWN_SETPGROUP : 0;
    (void)::posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own));
  }

  Result<pid_t> spawn(std::string command, std::vector<std::string> environment) {
    std::array<std::string, 3> words = {"sh", "-c", std::move(command)};
    std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    std::vector<char*> variables;
    variables.reserve(environment.size() + 1);
    for (std::string& entry : environment) {
      variables.push_back(entry.data());
    }
    variables.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, "/bin/sh", &actions_, &attributes_, arguments.data(), variables.data());
    if (error != 0) {
      return fail_errno(error, "/bin/sh");
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  constexpr std::chrono::milliseconds kAtOnceMax{std::chrono::hours(1)};
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kAtOnceMax).count());
}

}  // namespace

std::string to_string(const ChildEnd& end) {
  switch (end.kind) {
    case ChildEnd::Kind::exited:
      return "exit status " + std::to_string(end.number);
    case ChildEnd::Kind::signalled:
      return "killed by signal " + std::to_string(end.number);
    case ChildEnd::Kind::too_slow:
      return "took too long and was killed";
    case ChildEnd::Kind::too_much:
      return "printed too much and was killed";
    case ChildEnd::Kind::stopped:
      return "was stopped";
  }
  return "unknown";
}

/// Takes what is there.
void ChildProcess::Captured::take() {
  std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled
  while (fd) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) {
      const std::size_t kept = std::min(static_cast<std::size_t>(got), bytes_max - text.size());
      text.append(buffer.data(), kept);
      overflowed = overflowed || kept < static_cast<std::size_t>(got);
      if (overflowed) {
        return;  // one that never ends must not keep us
      }
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      if (got == 0 || errno != EAGAIN) {
        fd.reset();
      }
      return;
    }
  }
}

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  VIBES_TRY_ASSIGN(input, as_file(options.input));
  Pipe out;
  Pipe err;
  if (options.out == Output::capture) {
    VIBES_TRY_ASSIGN(made, make_pipe());
    out = std::move(made);
  }
  if (options.err == Output::capture) {
    VIBES_TRY_ASSIGN(made, make_pipe());
    err = std::move(made);
  }
  SpawnSetup setup;
  setup.give(input.get(), STDIN_FILENO);
  setup.give_output(options.out, out, STDOUT_FILENO);
  setup.give_output(options.err, err, STDERR_FILENO);
  setup.set_process(options.group);
  VIBES_TRY_ASSIGN(pid, setup.spawn(options.command, environment_with(options.environment)));
  ChildProcess child(pid, options.group);
  child.out_ = {std::move(out.reading), options.out_bytes_max, {}};
  child.err_ = {std::move(err.reading), options.err_bytes_max, {}};
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      group_(other.group_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !poll()) {
    end_it(group_ == ChildOptions::Group::own ? SIGKILL : SIGTERM);
    (void)reap();
  }
}

/// Before it is reaped, so that its number is nobody else's.
void ChildProcess::end_it(int signal) const {
  (void)::kill(group_ == ChildOptions::Group::own ? -pid_ : pid_, signal);
}

int ChildProcess::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

/// Until it ends by itself (nothing) or is to be ended.
std::optional<ChildEnd::Kind> ChildProcess::watch(const Wait& wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait.within;
  const UniqueFd child(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!child) {
    return ChildEnd::Kind::too_slow;  // not to be waited for; a later try may be luckier
  }
  for (;;) {
    std::array<pollfd, 4> waiting{{{child.get(), POLLIN, 0},
                                   {wait.stop_fd, POLLIN, 0},
                                   {out_.fd.get(), POLLIN, 0},
                                   {err_.fd.get(), POLLIN, 0}}};
    const int left_ms = milliseconds_until(deadline);
    (void)::poll(waiting.data(), waiting.size(), left_ms);
    out_.take();
    err_.take();
    if (out_.overflowed) {
      return ChildEnd::Kind::too_much;
    }
    err_.overflowed = false;
    if (waiting[0].revents != 0) {
      return std::nullopt;
    }
    if (waiting[1].revents != 0) {
      return ChildEnd::Kind::stopped;
    }
    if (left_ms == 0) {
      return ChildEnd::Kind::too_slow;
    }
  }
}

ChildEnd ChildProcess::wait(const Wait& wait) {
  const auto ended_by_us = watch(wait);
  if (ended_by_us) {
    end_it(SIGKILL);
  }
  const int status = reap();
  ChildEnd end{.out = std::move(out_.text), .err = std::move(err_.text)};
  if (ended_by_us) {
    end.kind = *ended_by_us;
  } else if (WIFEXITED(status)) {
    end.number = WEXITSTATUS(status);
  } else {
    end.kind = ChildEnd::Kind::signalled;
    end.number = WTERMSIG(status);
  }
  return end;
}

std::optional<int> ChildProcess::poll() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) {
    return std::nullopt;
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace vibes
