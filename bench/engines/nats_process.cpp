// SPDX-License-Identifier: MIT
#include "engines/nats_process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

std::string program() {
  const char* named = std::getenv("VIBES_NATS_SERVER");
  return named != nullptr && *named != '\0' ? named : "nats-server";
}

// In the child, between fork and exec.
[[noreturn]] void become(const std::string& name, const std::string& config, int output,
                         pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
    ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execlp(name.c_str(), name.c_str(), "-c", config.c_str(), nullptr);
  ::_exit(127);
}

/// What the server prints until it is ready, or until it ends.
std::string read_greeting(int fd) {
  std::string seen;
  std::array<char, 4'096> piece{};
  while (seen.find("Server is ready") == std::string::npos) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got <= 0) {
      break;
    }
    seen.append(piece.data(), static_cast<std::size_t>(got));
  }
  return seen;
}

int port_in(const std::string& greeting) {
  const std::string says = "Listening for client connections on 127.0.0.1:";
  const auto at = greeting.find(says);
  return at == std::string::npos ? 0 : std::atoi(greeting.c_str() + at + says.size());
}

}  // namespace

NatsProcess::NatsProcess(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  const std::filesystem::path config = directory_ / "conf";
  std::ofstream(config) << "host: 127.0.0.1\nport: -1\njetstream { store_dir: \""
                        << (directory_ / "store").string() << "\" }\n";
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    die("pipe");
  }
  output_.reset(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::string name = program();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    die("fork");
  }
  if (pid_ == 0) {
    become(name, config, theirs.get(), parent);
  }
  theirs.reset();
  const std::string greeting = read_greeting(output_.get());
  port_ = port_in(greeting);
  if (port_ == 0) {
    die(name + " did not start: " + greeting);
  }
}

NatsProcess::~NatsProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string NatsProcess::url(const std::string& stream) const {
  return "nats://127.0.0.1:" + std::to_string(port_) + "/" + stream;
}

}  // namespace vibes::bench
