// SPDX-License-Identifier: MIT
#include "support/nats_server.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.hpp"

namespace vibes::test {
namespace {

std::string program() {
  const char* named = std::getenv("VIBES_NATS_SERVER");  // NOLINT(concurrency-mt-unsafe)
  return named != nullptr && *named != '\0' ? named : "nats-server";
}

[[noreturn]] void become(const char* const* argv, int output, pid_t parent) {
  // A test that is killed must not leave servers behind.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
    ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) {
    ::_exit(127);
  }
  ::execvp(argv[0], const_cast<char* const*>(argv));  // NOLINT: that is its signature
  ::_exit(127);
}

/// "… Listening for client connections on 127.0.0.1:4222\n…"; 0: not in it.
std::uint16_t port_in(std::string_view output) {
  constexpr std::string_view kSays = "Listening for client connections on 127.0.0.1:";
  const auto at = output.find(kSays);
  std::uint16_t port = 0;
  if (at != std::string_view::npos) {
    const auto digits = output.substr(at + kSays.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
  }
  return port;
}

}  // namespace

NatsServer::NatsServer(NatsServerConfig config) : config_(std::move(config)) { launch(); }

void NatsServer::start_again() {
  VIBES_ASSERT(!is_running());
  launch();
}

void NatsServer::pause() const {
  VIBES_ASSERT(::kill(pid_, SIGSTOP) == 0);
  // The signal alone stops nothing yet; this returns when all threads stand.
  int status = 0;
  pid_t changed = 0;
  do {
    changed = ::waitpid(pid_, &status, WUNTRACED);
  } while (changed < 0 && errno == EINTR);
  VIBES_ASSERT(changed == pid_ && WIFSTOPPED(status));
}
void NatsServer::resume() const { VIBES_ASSERT(::kill(pid_, SIGCONT) == 0); }

std::string NatsServer::url(std::string_view rest) const {
  return "nats://127.0.0.1:" + std::to_string(port_) + std::string(rest);
}

void NatsServer::write_config() const {
  std::ofstream out(config_file());
  out << "host: 127.0.0.1\n"
      << "port: " << (port_ == 0 ? "-1" : std::to_string(port_)) << "\n";
  if (config_.jetstream == NatsServerConfig::JetStream::on) {
    out << "jetstream { store_dir: \"" << (directory_.path() / "store").string() << "\" }\n";
  }
  if (!config_.user.empty()) {
    out << "authorization { user: \"" << config_.user << "\", password: \"" << config_.password
        << "\" }\n";
  }
  if (config_.max_payload != 0) {
    out << "max_payload: " << config_.max_payload << "\n";
  }
  out << config_.more << "\n";
}

void NatsServer::launch() {
  write_config();
  int ends[2];
  VIBES_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
  output_.reset(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::string name = program();
  const std::string file = config_file().string();
  const std::array<const char*, 4> argv = {name.c_str(), "-c", file.c_str(), nullptr};
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  VIBES_ASSERT(pid_ >= 0);
  if (pid_ == 0) {
    become(argv.data(), theirs.get(), parent);
  }
  theirs.reset();
  std::promise<std::uint16_t> ready;
  auto port = ready.get_future();
  // It is read to the end, so that the server never waits for us.
  reader_ = std::thread(read_output, output_.get(), std::move(ready));
  port_ = port.get();
  VIBES_ASSERT(port_ != 0);
}

void NatsServer::read_output(int fd, std::promise<std::uint16_t> ready) {
  std::string seen;
  bool told = false;
  std::array<char, 4'096> piece{};
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    if (told) {
      continue;
    }
    seen.append(piece.data(), static_cast<std::size_t>(got));
    const auto at = seen.find("Server is ready");
    if (at != std::string::npos && seen.find('\n', at) != std::string::npos) {
      ready.set_value(port_in(seen));
      told = true;
    }
  }
  if (!told) {
    std::cerr << "nats-server did not start: " << seen << '\n';
    ready.set_value(0);
  }
}

void NatsServer::end(int signal) {
  if (!is_running()) {
    return;
  }
  VIBES_ASSERT(::kill(pid_, signal) == 0);
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(pid_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  VIBES_ASSERT(ended == pid_);
  pid_ = -1;
  reader_.join();
  output_.reset();
}

}  // namespace vibes::test
