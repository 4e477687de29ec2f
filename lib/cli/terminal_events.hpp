// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "cli/signals.hpp"

namespace vibes::cli {

/// A thread that waits for what a person at a terminal does while the main thread waits for
/// something else: keys (or whatever stdin gives), a new window size, a stop and a continuation,
/// and the signals that end a program. It wakes the main thread, which then takes what there is.
/// Make it before any other thread.
class TerminalEvents {
 public:
  struct Callbacks {
    /// Something has happened. On this object's thread; wakes the main thread and does no more.
    std::function<void()> on_change;
    /// A deadly signal came and this object still lives a while later: the main thread is stuck,
    /// most likely in a write to a terminal that takes none. On this object's thread.
    std::function<void(int signal)> on_stuck;
  };
  static Result<std::unique_ptr<TerminalEvents>> start(Callbacks callbacks);
  TerminalEvents(const TerminalEvents&) = delete;
  TerminalEvents& operator=(const TerminalEvents&) = delete;
  ~TerminalEvents();

  /// What was typed since the last call. What is not taken stays with the terminal from some point
  /// on.
  std::string take_input();
  /// stdin has ended and all of it was taken.
  [[nodiscard]] bool input_ended() const;
  // Whether that has happened since the last call.
  bool take_resize() { return resized_.exchange(false); }
  bool take_stop() { return stopped_.exchange(false); }
  bool take_continue() { return continued_.exchange(false); }
  /// The first deadly signal that came, 0 if none.
  [[nodiscard]] int deadly_signal() const { return deadly_.load(); }

 private:
  TerminalEvents(SignalFd signals, UniqueFd poke, Callbacks callbacks);
  void run();
  void poke() const;
  void take_signals();
  void read_input();
  [[nodiscard]] bool wants_input() const;
  void wait_while_stuck();

  SignalFd signals_;
  UniqueFd poke_;  // eventfd(2): over, or room for input again
  Callbacks callbacks_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> resized_ = false;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> continued_ = false;
  std::atomic<int> deadly_ = 0;
  mutable Mutex mutex_;
  std::string input_ VIBES_GUARDED_BY(mutex_);
  bool ended_ VIBES_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace vibes::cli
