// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <thread>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vibes::cli {

/// Signals as a file descriptor (signalfd(2)): blocked for the whole process while this lives, so
/// make it before the first thread. One thread reads.
class SignalFd {
 public:
  static Result<SignalFd> open(std::initializer_list<int> signals);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next signal that has come, 0 if none. Never waits.
  [[nodiscard]] int take() const;

 private:
  explicit SignalFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Dies of `signal`, so that the shell sees 128+signal and stops its loop.
[[noreturn]] void die_of(int signal);

/// A thread that waits for what can happen to a program while it waits for something else: SIGINT,
/// SIGTERM or SIGHUP, the death of a child, and the going away of whoever reads our stdout.
/// `on_change` runs on that thread: it wakes the main thread (WebSocket::wake()) and does nothing
/// else. Make it before any other thread.
class Interrupts {
 public:
  static Result<std::unique_ptr<Interrupts>> start(std::function<void()> on_change);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  /// The first deadly signal that came, 0 if none.
  [[nodiscard]] int signal() const { return signal_.load(); }
  [[nodiscard]] bool reader_is_gone() const { return reader_is_gone_.load(); }
  [[nodiscard]] bool happened() const { return signal() != 0 || reader_is_gone(); }

 private:
  Interrupts(SignalFd signals, UniqueFd stop, std::function<void()> on_change);
  void run();
  void take_signals();

  SignalFd signals_;
  UniqueFd stop_;  // eventfd(2)
  std::function<void()> on_change_;
  std::atomic<int> signal_ = 0;
  std::atomic<bool> reader_is_gone_ = false;
  std::thread thread_;
};

}  // namespace vibes::cli
