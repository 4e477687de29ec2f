// SPDX-License-Identifier: MIT
#include "session/command_queue.hpp"

#include <cstdint>
#include <sys/eventfd.h>
#include <utility>

#include "base/limits.hpp"
#include "session/errc.hpp"

namespace vibes::session {

Result<std::unique_ptr<CommandQueue>> CommandQueue::make() {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) {
    return fail_errno("eventfd");
  }
  return std::unique_ptr<CommandQueue>(new CommandQueue(std::move(wake)));
}

void CommandQueue::push(std::size_t bytes, Command command) {
  std::optional<Error> refused;
  {
    const MutexLock lock(mutex_);
    if (closed_) {
      refused = Error{Errc::stopping, {}};
    } else if (commands_.size() >= limits::kSessionCommandsMax ||
               bytes_ + bytes > limits::kSessionCommandQueueBytesMax) {
      refused = Error{Errc::busy, {}};
    } else {
      commands_.push_back(std::move(command));
      bytes_ += bytes;
    }
  }
  if (refused) {
    command(refused);
  } else {
    nudge();
  }
}

void CommandQueue::nudge() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

std::vector<CommandQueue::Command> CommandQueue::take() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  const MutexLock lock(mutex_);
  bytes_ = 0;
  return std::exchange(commands_, {});
}

void CommandQueue::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
}

}  // namespace vibes::session
