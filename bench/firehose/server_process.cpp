// SPDX-License-Identifier: MIT
#include "firehose/server_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

namespace vibes::bench {
namespace {

// In the child, between fork and exec.
[[noreturn]] void become_server(const std::string& program, const std::vector<std::string>& options,
                                const std::string& directory, const std::string& socket,
                                int ready_fd) {
  for (const char* name :
       {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
    ::setenv(name, (directory + "/" + name).c_str(), 1);
    std::filesystem::create_directories(directory + "/" + name);
    std::filesystem::permissions(directory + "/" + name, std::filesystem::perms::owner_all);
  }
  std::vector<std::string> words{
      program,  "--listen", "127.0.0.1:0", "--auth", "none", "--ready-fd", std::to_string(ready_fd),
      "--unix", socket};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int log = ::open((directory + "/stderr").c_str(), O_CREAT | O_WRONLY, 0600);
  ::dup2(log, STDERR_FILENO);
  ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

int read_port(int fd) {
  std::string line;
  std::array<char, 256> piece{};
  for (ssize_t got = 0; (got = ::read(fd, piece.data(), piece.size())) > 0;) {
    line.append(piece.data(), static_cast<std::size_t>(got));
    if (line.ends_with('\n')) {
      break;
    }
  }
  const std::size_t colon = line.rfind(':');
  return colon == std::string::npos ? 0 : std::atoi(line.c_str() + colon + 1);
}

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s: %s\n", ::program_invocation_short_name, what.c_str(),
               std::strerror(errno));
  std::exit(1);
}

double now_us() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// In the current directory, which scripts/bench puts on the disk that is measured; the socket in
// /tmp, for its path must be short.
ServerProcess::ServerProcess(const std::string& program, const std::vector<std::string>& options)
    : scratch_({std::filesystem::current_path(), "/tmp"}, [this] {
        if (pid_ > 0) {
          ::kill(pid_, SIGKILL);
        }
      }) {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) {
    die("pipe");
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ready[0]);
    become_server(program, options, scratch_.path(0), unix_socket().unix_path, ready[1]);
  }
  ::close(ready[1]);
  port_ = read_port(ready[0]);
  ::close(ready[0]);
  if (port_ == 0) {
    std::ifstream log(scratch_.path(0) / "stderr");
    std::ostringstream text;
    text << log.rdbuf();
    die("the server did not start: " + text.str());
  }
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

std::size_t ServerProcess::rss_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace vibes::bench
