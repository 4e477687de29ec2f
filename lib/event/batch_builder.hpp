// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "event/check.hpp"

namespace vibes::event {

/// Collects checked events until one is refused; then nothing is left but the reason.
class BatchBuilder {
 public:
  /// For a batch that is `text`, or about as large.
  explicit BatchBuilder(std::string_view text);

  /// Checks one event. False: refused, and nothing more is to be added.
  bool check(std::size_t line, std::string_view json, const CheckOptions& options);
  /// The same for one that was checked already.
  bool add(std::size_t line, const Result<NewEvent>& checked);
  bool refuse(std::size_t line, Error error);
  CheckedBatch finish() &&;

 private:
  bool keep_to_limits(std::size_t line);

  CheckedBatch batch_;
  std::size_t bytes_ = 0;
};

}  // namespace vibes::event
