// SPDX-License-Identifier: MIT
#include "event/batch_builder.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/errc.hpp"

namespace vibes::event {

bool BatchBuilder::add(std::size_t line, Result<NewEvent> checked) {
  if (!checked) {
    return refuse(line, std::move(checked).error());
  }
  bytes_ += checked->payload.size();
  if (bytes_ > limits::kBatchBytesMax) {
    return refuse(line, {Errc::batch_too_large,
                         fmt::format("a batch has at most {} bytes", limits::kBatchBytesMax)});
  }
  if (batch_.events.size() == limits::kBatchEventsMax) {
    return refuse(line, {Errc::batch_too_large,
                         fmt::format("a batch has at most {} events", limits::kBatchEventsMax)});
  }
  batch_.events.push_back(*std::move(checked));
  return true;
}

bool BatchBuilder::refuse(std::size_t line, Error error) {
  batch_.events.clear();
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
