// SPDX-License-Identifier: MIT
#include "peers/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "firehose/server_process.hpp"
#include "loopback.hpp"

namespace vibes::bench {
namespace {

bool somebody_listens(int port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// In the child, between fork and exec.
[[noreturn]] void become(const std::filesystem::path& directory, std::vector<std::string>& argv,
                         pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent ||
      ::chdir(directory.c_str()) != 0) {
    ::_exit(127);
  }
  // Ours looks there for its directories.
  for (const char* name :
       {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
    const std::filesystem::path own = directory / name;
    std::filesystem::create_directories(own);
    std::filesystem::permissions(own, std::filesystem::perms::owner_all);
    ::setenv(name, own.c_str(), 1);
  }
  std::vector<char*> words;
  for (std::string& word : argv) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int output = ::open("output", O_CREAT | O_WRONLY | O_APPEND, 0600);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

int free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0) {
    die("a free port");
  }
  return ntohs(address.sin_port);
}

bool installed(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/sbin:/usr/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access((directory + "/" + name).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

PeerProcess::PeerProcess(std::filesystem::path directory, std::vector<std::string> argv, int port)
    : directory_(std::move(directory)), name_(argv.at(0)), port_(port) {
  std::filesystem::create_directories(directory_);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    die("fork");
  }
  if (pid_ == 0) {
    become(directory_, argv, parent);
  }
  wait_until_it_listens();
}

PeerProcess::~PeerProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void PeerProcess::wait_until_it_listens() {
  constexpr auto kEvery = std::chrono::milliseconds(2);
  constexpr int kTries = 5'000;
  for (int i = 0; i < kTries; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      give_up();
    }
    if (somebody_listens(port_)) {
      return;
    }
    std::this_thread::sleep_for(kEvery);
  }
  ::kill(pid_, SIGKILL);
  give_up();
}

void PeerProcess::give_up() const {
  std::ifstream output(directory_ / "output");
  std::ostringstream text;
  text << output.rdbuf();
  die(name_ + " did not start: " + text.str());
}

}  // namespace vibes::bench
