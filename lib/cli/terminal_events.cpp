// SPDX-License-Identifier: MIT
#include "cli/terminal_events.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <sys/eventfd.h>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace vibes::cli {
namespace {

constexpr std::size_t kInputBytesMax = 64U << 10U;
constexpr std::size_t kReadBytes = 4'096;
constexpr std::chrono::milliseconds kStuckAfter{3'000};

}  // namespace

Result<std::unique_ptr<TerminalEvents>> TerminalEvents::start(Callbacks callbacks) {
  VIBES_TRY_ASSIGN(signals,
                   SignalFd::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT}));
  UniqueFd poke(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poke) {
    return fail_errno("cannot make an event descriptor");
  }
  (void)::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<TerminalEvents> events(
      new TerminalEvents(std::move(signals), std::move(poke), std::move(callbacks)));
  events->thread_ = std::thread([raw = events.get()] { raw->run(); });
  return events;
}

TerminalEvents::TerminalEvents(SignalFd signals, UniqueFd poke, Callbacks callbacks)
    : signals_(std::move(signals)), poke_(std::move(poke)), callbacks_(std::move(callbacks)) {}

TerminalEvents::~TerminalEvents() {
  over_ = true;
  poke();
  thread_.join();
}

void TerminalEvents::poke() const {
  const std::uint64_t one = 1;
  (void)!::write(poke_.get(), &one, sizeof one);
}

std::string TerminalEvents::take_input() {
  std::string taken;
  {
    const MutexLock lock(mutex_);
    taken.swap(input_);
  }
  if (!taken.empty()) {
    poke();
  }
  return taken;
}

bool TerminalEvents::input_ended() const {
  const MutexLock lock(mutex_);
  return ended_ && input_.empty();
}

bool TerminalEvents::wants_input() const {
  const MutexLock lock(mutex_);
  return !ended_ && input_.size() < kInputBytesMax;
}

void TerminalEvents::take_signals() {
  while (const int signal = signals_.take()) {
    int none = 0;
    switch (signal) {
      case SIGWINCH:
        resized_ = true;
        break;
      case SIGTSTP:
        stopped_ = true;
        break;
      case SIGCONT:
        continued_ = true;
        break;
      default:
        (void)deadly_.compare_exchange_strong(none, signal);
    }
  }
}

void TerminalEvents::read_input() {
  std::array<char, kReadBytes> bytes{};
  const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  const MutexLock lock(mutex_);
  if (got > 0) {
    input_.append(bytes.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
    ended_ = true;
  }
}

void TerminalEvents::wait_while_stuck() {
  const auto until = std::chrono::steady_clock::now() + kStuckAfter;
  while (!over_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      callbacks_.on_stuck(deadly_);
      return;
    }
    pollfd waiting{poke_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left.count())) > 0) {
      std::uint64_t ignored = 0;
      (void)!::read(poke_.get(), &ignored, sizeof ignored);
    }
  }
}

void TerminalEvents::run() {
  while (!over_) {
    std::array<pollfd, 3> fds{{{poke_.get(), POLLIN, 0},
                               {signals_.fd(), POLLIN, 0},
                               {wants_input() ? STDIN_FILENO : -1, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[0].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(poke_.get(), &ignored, sizeof ignored);
    }
    take_signals();
    if (fds[2].revents != 0) {
      read_input();
    }
    if (fds[1].revents != 0 || fds[2].revents != 0) {
      callbacks_.on_change();
    }
    if (deadly_ != 0) {
      wait_while_stuck();
      return;
    }
  }
}

}  // namespace vibes::cli
