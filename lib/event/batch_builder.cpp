// SPDX-License-Identifier: MIT
#include "event/batch_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/errc.hpp"

namespace vibes::event {

BatchBuilder::BatchBuilder(std::string_view text) {
  // Beside its payload an event has its type and session.
  const std::size_t bytes = std::min(text.size(), limits::kBatchBytesMax);
  batch_.events.reserve({0, bytes + bytes / 8});
}

bool BatchBuilder::check(std::size_t line, std::string_view json, const CheckOptions& options) {
  if (auto checked = check_into(batch_.events, json, options); !checked) {
    return refuse(line, std::move(checked).error());
  }
  return keep_to_limits(line);
}

bool BatchBuilder::add(std::size_t line, const Result<NewEvent>& checked) {
  if (!checked) {
    return refuse(line, checked.error());
  }
  batch_.events.add(view_of(*checked));
  return keep_to_limits(line);
}

/// With the event that was added last.
bool BatchBuilder::keep_to_limits(std::size_t line) {
  bytes_ += batch_.events[batch_.events.size() - 1].payload.size();
  if (bytes_ > limits::kBatchBytesMax) {
    return refuse(line, {Errc::batch_too_large,
                         fmt::format("a batch has at most {} bytes", limits::kBatchBytesMax)});
  }
  if (batch_.events.size() > limits::kBatchEventsMax) {
    return refuse(line, {Errc::batch_too_large,
                         fmt::format("a batch has at most {} events", limits::kBatchEventsMax)});
  }
  return true;
}

bool BatchBuilder::refuse(std::size_t line, Error error) {
  batch_.events.truncate(0);
  batch_.refused = BatchError{line, std::move(error)};
  return false;
}

CheckedBatch BatchBuilder::finish() && {
  if (!batch_.refused && batch_.events.empty()) {
    refuse(0, {Errc::empty_batch, "nothing but white space"});
  }
  return std::move(batch_);
}

}  // namespace vibes::event
