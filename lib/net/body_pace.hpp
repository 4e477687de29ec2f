// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include "base/limits.hpp"

namespace vibes::net {

/// Whether the body of a request comes at limits::kBodyBytesPerSecondMin or faster, judged span by
/// span: what came early does not make up for a trickle.
class BodyPace {
 public:
  /// At the end of a span: `bytes` is how much of the body has come so far.
  [[nodiscard]] bool keeps_up(std::size_t bytes, std::chrono::milliseconds span) {
    const std::size_t brought = bytes - std::exchange(bytes_before_, bytes);
    return brought * 1'000 >=
           limits::kBodyBytesPerSecondMin * static_cast<std::size_t>(span.count());
  }

 private:
  std::size_t bytes_before_ = 0;
};

}  // namespace vibes::net
