// SPDX-License-Identifier: MIT
#include "scratch.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace vibes::bench {
namespace {

sigset_t endings() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaddset(&set, number);
  }
  return set;
}

/// The one there is; exit() does not destroy what the stack holds.
std::atomic<const Scratch*> live{nullptr};

/// As if the signal had not been caught, so that a shell sees what ended the program.
[[noreturn]] void die_by(int number) {
  (void)std::signal(number, SIG_DFL);
  const sigset_t set = endings();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), number);
  std::_Exit(128 + number);
}

}  // namespace

Scratch::Scratch(const std::vector<std::filesystem::path>& parents,
                 std::function<void()> stop_users)
    : stop_users_(std::move(stop_users)) {
  const sigset_t set = endings();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
  over_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  for (const auto& parent : parents) {
    std::string name = parent / "vibes-bench-XXXXXX";
    if (!signals_ || !over_ || ::mkdtemp(name.data()) == nullptr) {
      std::perror(name.c_str());
      remove();
      std::exit(1);
    }
    paths_.emplace_back(name);
  }
  watcher_ = std::thread([this] { watch(); });
  static const int registered = std::atexit(&Scratch::remove_at_exit);
  (void)registered;
  live = this;
}

void Scratch::remove_at_exit() {
  if (const Scratch* const left = live.exchange(nullptr)) {
    left->clear();
  }
}

Scratch::~Scratch() {
  live = nullptr;
  const std::uint64_t one = 1;
  (void)!::write(over_.get(), &one, sizeof one);
  watcher_.join();
  remove();
}

void Scratch::watch() const {
  std::array<pollfd, 2> waiting{{{signals_.get(), POLLIN, 0}, {over_.get(), POLLIN, 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0) {
  }
  signalfd_siginfo signal{};
  if (waiting[0].revents == 0 ||
      ::read(signals_.get(), &signal, sizeof signal) != static_cast<ssize_t>(sizeof signal)) {
    return;
  }
  clear();
  die_by(static_cast<int>(signal.ssi_signo));
}

void Scratch::clear() const {
  if (stop_users_) {
    stop_users_();
  }
  remove();
}

void Scratch::remove() const {
  // Our own threads may still be making files when a signal ends the run.
  constexpr int kTries = 100;
  std::error_code error;
  for (const auto& path : paths_) {
    for (int i = 0; i < kTries && std::filesystem::exists(path, error); ++i) {
      std::filesystem::remove_all(path, error);
    }
  }
}

}  // namespace vibes::bench
