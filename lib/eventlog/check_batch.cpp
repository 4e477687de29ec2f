// SPDX-License-Identifier: MIT
#include "eventlog/check_batch.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/errc.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog {
namespace {

/// Of anything that has a size and events.
template <class Events>
Result<void> check_events(const Events& batch) {
  if (batch.empty()) {
    return fail(event::Errc::empty_batch, "append");
  }
  if (batch.size() > limits::kBatchEventsMax) {
    return fail(Errc::batch_too_large,
                fmt::format("{} events, at most {}", batch.size(), limits::kBatchEventsMax));
  }
  std::size_t payload_bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& event = batch[i];
    payload_bytes += event.payload.size();
    if (event.type.size() > limits::kTypeBytesMax ||
        event.session.size() > limits::kSessionBytesMax) {
      return fail(Errc::batch_too_large, "the type or session of an event is too long");
    }
  }
  if (payload_bytes > limits::kBatchBytesMax) {
    return fail(Errc::batch_too_large,
                fmt::format("{} bytes, at most {}", payload_bytes, limits::kBatchBytesMax));
  }
  return {};
}

}  // namespace

Result<void> check_batch(std::span<const event::NewEvent> batch) { return check_events(batch); }
Result<void> check_batch(const event::PackedSlice& batch) { return check_events(batch); }

}  // namespace vibes::eventlog
