// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "event/check.hpp"

namespace vibes::event {

/// Collects checked events until one is refused; then nothing is left but the reason.
class BatchBuilder {
 public:
  /// False: refused, and nothing more is to be added.
  bool add(std::size_t line, Result<NewEvent> checked);
  bool refuse(std::size_t line, Error error);
  CheckedBatch finish() &&;

 private:
  CheckedBatch batch_;
  std::size_t bytes_ = 0;
};

}  // namespace vibes::event
