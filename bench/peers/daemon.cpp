// SPDX-License-Identifier: MIT
#include "peers/daemon.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include "firehose/server_process.hpp"
#include "peers/wire.hpp"

namespace vibes::bench {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const std::string& word : words) {
    list.push_back(const_cast<char*>(word.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

void open_as(int number, const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags, 0600);
  if (fd < 0 || ::dup2(fd, number) < 0) {
    ::_exit(127);
  }
}

// In the child, between fork and exec.
[[noreturn]] void become(const Command& command, int ready, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent ||
      ::chdir(command.directory.c_str()) != 0) {
    ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  open_as(STDIN_FILENO, command.standard_input, O_RDONLY);
  open_as(STDOUT_FILENO, command.standard_output, O_WRONLY | O_CREAT);
  open_as(STDERR_FILENO, command.standard_error, O_WRONLY | O_CREAT);
  // dup2 of a descriptor onto itself would leave it to be closed by exec.
  if (ready == Daemon::kReadyFd ? ::fcntl(ready, F_SETFD, 0) != 0
                                : ::dup2(ready, Daemon::kReadyFd) < 0) {
    ::_exit(127);
  }
  ::execvpe(command.words[0].c_str(), pointers(command.words).data(),
            pointers(command.environment).data());
  ::_exit(127);
}

}  // namespace

Daemon::Daemon(const Command& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    die("pipe");
  }
  ready_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    die("fork");
  }
  if (pid_ == 0) {
    become(command, theirs.get(), parent);
  }
}

std::string Daemon::first_line() const {
  std::string line;
  std::array<char, 256> piece{};
  while (!line.ends_with('\n')) {
    const ssize_t got = ::read(ready_.get(), piece.data(), piece.size());
    if (got <= 0) {
      return {};
    }
    line.append(piece.data(), static_cast<std::size_t>(got));
  }
  return line;
}

bool Daemon::await_listener(int port) {
  const double give_up = now_us() + 10e6;
  while (now_us() < give_up) {
    if (try_connect(port)) {
      return true;
    }
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return false;
    }
    ::poll(nullptr, 0, 2);
  }
  return false;
}

void Daemon::stop(int signal) {
  if (pid_ > 0) {
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

double Daemon::cpu_us() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    die("clock_getcpuclockid");
  }
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double Daemon::memory_kib(const std::string& field) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) {
      return std::strtod(line.c_str() + field.size() + 1, nullptr);
    }
  }
  die("/proc has no " + field);
}

std::vector<std::string> environment_in(const std::filesystem::path& directory,
                                        const std::filesystem::path& sockets) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> environment{"PATH=" + std::string(path != nullptr ? path : ""),
                                       "XDG_RUNTIME_DIR=" + sockets.string(),
                                       "HOME=" + directory.string()};
  for (const std::string name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"}) {
    const std::filesystem::path folder = directory / name;
    std::filesystem::create_directories(folder);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    environment.push_back(name + "=" + folder.string());
  }
  return environment;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

int free_port() {
  const Listener listener;
  return listener.port();
}

double run_us(const Command& command) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, command.standard_input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, command.standard_output.c_str(), O_WRONLY | O_CREAT,
                                     0600);
  ::posix_spawn_file_actions_addopen(&files, 2, command.standard_error.c_str(), O_WRONLY | O_CREAT,
                                     0600);
  const auto words = pointers(command.words);
  const auto environment = pointers(command.environment);
  pid_t pid = -1;
  int status = 0;
  const double start = now_us();
  if (::posix_spawnp(&pid, words[0], &files, nullptr, words.data(), environment.data()) != 0) {
    die(command.words[0]);
  }
  ::waitpid(pid, &status, 0);
  const double took = now_us() - start;
  ::posix_spawn_file_actions_destroy(&files);
  if (status != 0) {
    die(command.words[0] + " ended with wait status " + std::to_string(status));
  }
  return took;
}

}  // namespace vibes::bench
