// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "event/event.hpp"

namespace vibes::client {

/// Events that wait on disk for a daemon that is down, in one append-only file `events` of a
/// private folder (default_paths().spool()). One line each: the event_id, a space, the payload as
/// it came, a newline. The file is the unit of locking (flock); a line without its newline is an
/// append that a crash cut short and nobody was told of: it is cut off by the next append.
///
/// Draining is at least once and idempotent: every event has its event_id from the moment it was
/// spooled, and the file is removed from only after the log has acknowledged. A kill -9 in the
/// middle means that the log sees some of them again and recognises them.
class Spool {
 public:
  explicit Spool(std::filesystem::path directory);

  /// Adds events, all or none, and returns when they are on disk. Each must have its event_id.
  /// Errors: Errc::spool_full (over limits::kSpoolBytesMax), or the I/O error.
  Result<void> append(std::span<const event::NewEvent> events);

  /// Gives the spooled events in order, in batches of at most `batch_bytes`, to `deliver`, which
  /// returns once the log has acknowledged them; what was delivered is forgotten for good. Stops at
  /// the first error and returns it; the rest stays. Only one process drains at a time: another
  /// one's drain is waited for. Returns how many were delivered.
  ///
  /// For the server at its start, before it listens: drain(…) with EventLog::append and a wait for
  /// its AppendDone. An event the log refuses with event_id_conflict is there already and counts as
  /// delivered; a refusal of an event for what it is must be answered by set_aside(), or the spool
  /// would stop there for ever.
  using Deliver = std::function<Result<void>(std::span<const event::NewEvent> batch)>;
  Result<std::uint64_t> drain(std::size_t batch_bytes, const Deliver& deliver);

  /// Keeps an event that the log refuses in the file `refused` beside the spool, with the reason.
  Result<void> set_aside(const event::NewEvent& event, const std::string& reason);

  /// Whether a drain would find something. Costs one stat(2).
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] std::filesystem::path file() const { return directory_ / "events"; }

 private:
  std::filesystem::path directory_;
};

}  // namespace vibes::client
