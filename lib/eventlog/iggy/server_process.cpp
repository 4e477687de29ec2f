// SPDX-License-Identifier: MIT
#include "eventlog/iggy/server_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

constexpr int kCannotExec = 127;

/// What the child needs, made before the fork: it must not allocate.
struct Prepared {
  std::vector<std::string> texts;
  std::vector<char*> argv;
  std::vector<char*> envp;
  UniqueFd input;
  UniqueFd output;
  pid_t parent = -1;
};

void point_into(std::vector<std::string>& texts, std::size_t from, std::size_t to,
                std::vector<char*>& pointers) {
  for (std::size_t i = from; i < to; ++i) {
    pointers.push_back(texts[i].data());
  }
  pointers.push_back(nullptr);
}

Result<Prepared> prepare(const ServerProcess::Options& options) {
  Prepared prepared;
  prepared.texts.push_back(options.program);
  prepared.texts.insert(prepared.texts.end(), options.arguments.begin(), options.arguments.end());
  const std::size_t arguments = prepared.texts.size();
  for (const auto& [name, value] : options.environment) {
    prepared.texts.emplace_back(name).append("=").append(value);
  }
  point_into(prepared.texts, 0, arguments, prepared.argv);
  point_into(prepared.texts, arguments, prepared.texts.size(), prepared.envp);
  prepared.input = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  prepared.output = UniqueFd(
      ::open(options.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!prepared.input || !prepared.output) {
    return fail_errno(options.output);
  }
  prepared.parent = ::getpid();
  return prepared;
}

/// After fork() beside other threads: nothing but system calls.
[[noreturn]] void become(const Prepared& prepared, const char* directory) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) {
    ::_exit(kCannotExec);  // the parent was faster
  }
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::signal(SIGPIPE, SIG_DFL);
  rlimit locked{};
  if (::getrlimit(RLIMIT_MEMLOCK, &locked) == 0) {
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};  // where we may; a ring needs it
    if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0) {
      locked.rlim_cur = locked.rlim_max;
      (void)::setrlimit(RLIMIT_MEMLOCK, &locked);
    }
  }
  constexpr unsigned kBehindStderr = 3;
  (void)::close_range(kBehindStderr, ~0U, CLOSE_RANGE_CLOEXEC);
  (void)::setpgid(0, 0);  // a terminal's ^C is for us, who end it in good order
  if (::chdir(directory) == 0 && ::dup2(prepared.input.get(), STDIN_FILENO) >= 0 &&
      ::dup2(prepared.output.get(), STDOUT_FILENO) >= 0 &&
      ::dup2(prepared.output.get(), STDERR_FILENO) >= 0) {
    (void)::execve(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  }
  ::_exit(kCannotExec);
}

}  // namespace

Result<ServerProcess> ServerProcess::start(const Options& options) {
  VIBES_TRY_ASSIGN(prepared, prepare(options));
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("fork");
  }
  if (pid == 0) {
    become(prepared, options.directory.c_str());
  }
  return ServerProcess(pid);
}

ServerProcess& ServerProcess::operator=(ServerProcess&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    status_ = other.status_;
  }
  return *this;
}

std::optional<int> ServerProcess::poll() {
  if (pid_ < 0) {
    return status_;
  }
  int status = 0;
  const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) {
    return std::nullopt;
  }
  constexpr int kSignalled = 128;
  pid_ = -1;
  status_ = reaped > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  return status_;
}

std::optional<int> ServerProcess::wait(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (true) {
    const auto status = poll();
    if (status || std::chrono::steady_clock::now() >= until) {
      return status;
    }
    std::this_thread::sleep_for(5ms);
  }
}

void ServerProcess::signal(int number) const {
  if (pid_ > 0) {
    (void)::kill(pid_, number);
  }
}

void ServerProcess::kill() {
  if (pid_ > 0) {
    signal(SIGKILL);
    (void)wait(10s);
  }
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const auto directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    const std::string candidate = std::string(directory) + "/" + name;
    if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace vibes::eventlog::iggy
