// SPDX-License-Identifier: MIT
#include "cli/raw_terminal.hpp"

#include <array>
#include <atomic>
#include <csignal>

#include <unistd.h>

namespace vibes::cli {
namespace {

constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// What a crash handler needs, set before it is installed.
std::atomic<const RawTerminal*> raw_now = nullptr;
std::array<struct sigaction, kCrashes.size()> handlers_before;

/// Gives the crash to whoever it was for before us, as soon as this returns.
void on_crash(int signal) {
  if (const RawTerminal* terminal = raw_now.load(); terminal != nullptr) {
    terminal->restore();
  }
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    if (kCrashes.at(i) == signal) {
      (void)::sigaction(signal, &handlers_before.at(i), nullptr);
    }
  }
  (void)::raise(signal);
}

void watch_crashes() {
  struct sigaction action {};
  action.sa_handler = on_crash;
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    (void)::sigaction(kCrashes.at(i), &action, &handlers_before.at(i));
  }
}

void forget_crashes() {
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    (void)::sigaction(kCrashes.at(i), &handlers_before.at(i), nullptr);
  }
}

}  // namespace

Result<std::unique_ptr<RawTerminal>> RawTerminal::enter(int fd) {
  termios before{};
  if (::tcgetattr(fd, &before) != 0) {
    return fail_errno("cannot read the terminal's settings");
  }
  std::unique_ptr<RawTerminal> terminal(new RawTerminal(fd, before));
  termios raw = before;
  ::cfmakeraw(&raw);
  if (::tcsetattr(fd, TCSANOW, &raw) != 0) {
    return fail_errno("cannot set the terminal");
  }
  raw_now = terminal.get();
  watch_crashes();
  return terminal;
}

RawTerminal::~RawTerminal() {
  restore();
  if (raw_now.exchange(nullptr) != nullptr) {
    forget_crashes();
  }
}

// At once and not when the output has drained: a terminal that takes none must be put back too.
void RawTerminal::restore() const noexcept { (void)::tcsetattr(fd_, TCSANOW, &before_); }

void RawTerminal::enter_again() const noexcept {
  termios raw = before_;
  ::cfmakeraw(&raw);
  (void)::tcsetattr(fd_, TCSANOW, &raw);
}

}  // namespace vibes::cli
