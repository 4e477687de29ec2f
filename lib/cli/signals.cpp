// SPDX-License-Identifier: MIT
#include "cli/signals.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <poll.h>
#include <unistd.h>

namespace vibes::cli {

Result<SignalFd> SignalFd::open(std::initializer_list<int> signals) {
  sigset_t set;
  (void)sigemptyset(&set);
  for (const int signal : signals) {
    (void)sigaddset(&set, signal);
  }
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return fail_errno(error, "cannot block signals");
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) {
    return fail_errno("cannot make a signal descriptor");
  }
  return SignalFd(std::move(fd));
}

int SignalFd::take() const {
  signalfd_siginfo info{};
  return ::read(fd(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

void die_of(int signal) {
  (void)::signal(signal, SIG_DFL);
  (void)::raise(signal);  // pending if blocked, so that unblocking delivers it
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, signal);
  (void)pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::_Exit(128 + signal);
}

Result<std::unique_ptr<Interrupts>> Interrupts::start(std::function<void()> on_change) {
  VIBES_TRY_ASSIGN(signals, SignalFd::open({SIGINT, SIGTERM, SIGHUP, SIGCHLD}));
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) {
    return fail_errno("cannot make an event descriptor");
  }
  // A reader that goes away is noticed by poll(2) and by EPIPE, not by dying.
  (void)::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Interrupts> interrupts(
      new Interrupts(std::move(signals), std::move(stop), std::move(on_change)));
  interrupts->thread_ = std::thread([raw = interrupts.get()] { raw->run(); });
  return interrupts;
}

Interrupts::Interrupts(SignalFd signals, UniqueFd stop, std::function<void()> on_change)
    : signals_(std::move(signals)), stop_(std::move(stop)), on_change_(std::move(on_change)) {}

Interrupts::~Interrupts() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void Interrupts::take_signals() {
  while (const int signal = signals_.take()) {
    int none = 0;
    if (signal != SIGCHLD) {
      (void)signal_.compare_exchange_strong(none, signal);
    }
  }
}

void Interrupts::run() {
  // No events are asked for on stdout: POLLERR (a pipe or socket without reader) and POLLHUP (a
  // terminal) come unasked.
  std::array<pollfd, 3> fds{
      {{stop_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[0].revents != 0) {
      return;
    }
    take_signals();
    if ((fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
      reader_is_gone_ = (fds[2].revents & POLLNVAL) == 0;
      fds[2].fd = -1;
    }
    on_change_();
  }
}

}  // namespace vibes::cli
