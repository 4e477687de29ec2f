// SPDX-License-Identifier: MIT
#include "net/write_watch.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vibes::net {
namespace {

constexpr SteadyNs kStalledNs =
    std::chrono::duration_cast<std::chrono::nanoseconds>(limits::kReaderStalledAfter).count();

}  // namespace

void WriteWatch::ask() {
  if (!waiting_since_) {
    waiting_since_ = now();
    connection_.request_write();
    arm();
  }
}

bool WriteWatch::stalled() const { return waiting_since_ && now() - *waiting_since_ >= kStalledNs; }

void WriteWatch::set_deadline(std::optional<SteadyNs> deadline) {
  deadline_ = deadline;
  arm();
}

bool WriteWatch::timer_fired() {
  armed_for_.reset();
  const bool due = deadline_ && now() >= *deadline_;
  if (due) {
    deadline_.reset();
  }
  arm();
  return due;
}

// A timer that is armed early enough stays: where the socket keeps up this costs one setting a
// minute, not one a write.
void WriteWatch::arm() {
  std::optional<SteadyNs> next = deadline_;
  if (waiting_since_) {
    next = std::min(next.value_or(*waiting_since_ + kStalledNs), *waiting_since_ + kStalledNs);
  }
  if (!next || (armed_for_ && *armed_for_ <= *next)) {
    return;
  }
  armed_for_ = next;
  constexpr SteadyNs kMs = 1'000'000;
  const SteadyNs left_ms = std::max<SteadyNs>(0, (*next - now() + kMs - 1) / kMs);
  connection_.set_timer(std::chrono::milliseconds(left_ms));
}

}  // namespace vibes::net
