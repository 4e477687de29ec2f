// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "base/result.hpp"
#include "event/event.hpp"
#include "event/packed_events.hpp"

namespace vibes::eventlog {

/// What every engine refuses before it takes a batch. Errors: event::Errc::empty_batch,
/// batch_too_large (limits::kBatchBytesMax of payload, kBatchEventsMax, or a type or session that
/// is too long).
Result<void> check_batch(std::span<const event::NewEvent> batch);
Result<void> check_batch(const event::PackedSlice& batch);

}  // namespace vibes::eventlog
