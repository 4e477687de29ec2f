// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "eventlog/copy_target.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog {

/// A log that lasts as long as the process: for tests and throw-away runs. It acknowledges from a
/// thread of its own, in order, as the file engine does, and always with Durability::memory. It is
/// bounded: beyond limits::kMemoryLogBytesMax (or Retention::bytes) the oldest events go, read or
/// not, and readers see a gap. Retention::age is kept when events are appended and spares what a
/// group has yet to read, unless beyond_groups.
std::unique_ptr<CopyTarget> make_memory_log(const LogOptions& options);

}  // namespace vibes::eventlog
