// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vibes::session {

/// What other threads leave for the session thread, in order. Bounded in count and in bytes.
/// Thread-safe.
class CommandQueue {
 public:
  /// Called once: on the session thread to be carried out, or on the caller's with the reason why
  /// it was not taken.
  using Command = std::function<void(const std::optional<Error>& refused)>;

  static Result<std::unique_ptr<CommandQueue>> make();

  /// `bytes` are what the command carries. Refuses with Errc::busy or stopping.
  void push(std::size_t bytes, Command command);
  /// Makes wait_fd() readable without leaving a command.
  void nudge();

  /// For the session thread: an eventfd to poll, and everything that was left; empties the eventfd.
  [[nodiscard]] int wait_fd() const { return wake_.get(); }
  std::vector<Command> take();
  /// Refuses everything from now on; what was left before stays for take().
  void close();

 private:
  explicit CommandQueue(UniqueFd wake) : wake_(std::move(wake)) {}

  UniqueFd wake_;
  Mutex mutex_;
  std::vector<Command> commands_ VIBES_GUARDED_BY(mutex_);
  std::size_t bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  bool closed_ VIBES_GUARDED_BY(mutex_) = false;
};

}  // namespace vibes::session
