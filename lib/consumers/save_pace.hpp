// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/limits.hpp"
#include "base/offset.hpp"

namespace vibes::consumers {

/// When a handler that keeps much is to save it. Of a handler that is behind, because it reads the
/// log again or events come in a flood, saving takes at most about a tenth of the time; one that
/// keeps up saves each time it is asked, so that its group is where the log ends. Not thread-safe.
class SavePace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// After a crash no more than about this is done again.
  static constexpr std::chrono::seconds kPauseMax{30};
  static constexpr int kPausePerSave = 9;

  /// At least `pause_min` lies between two saves.
  explicit SavePace(std::chrono::milliseconds pause_min) : pause_min_(pause_min) {}

  /// To be asked at each routine Handler::settle().
  [[nodiscard]] bool is_due(Offset handled, Time now) {
    // The runner asks for so many events, or else because time has passed.
    const bool behind =
        asked_ && *asked_ <= handled && handled - *asked_ >= limits::kCommitEveryEvents;
    asked_ = handled;
    if (!saved_at_) {
      return true;
    }
    Time::duration pause = pause_min_;
    if (behind) {
      pause = std::max(pause, std::min<Time::duration>(took_ * kPausePerSave, kPauseMax));
    }
    return now >= *saved_at_ + pause;
  }

  void saved(Time began, Time ended) {
    took_ = ended - began;
    saved_at_ = ended;
  }

 private:
  std::chrono::milliseconds pause_min_;
  std::optional<Offset> asked_;
  std::optional<Time> saved_at_;
  Time::duration took_{};
};

}  // namespace vibes::consumers
