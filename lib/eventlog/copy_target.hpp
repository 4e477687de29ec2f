// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/id_window.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog {

/// A log into which another one can be copied, so that ids, times and, with LogOptions::origin,
/// offsets and cursors stay what they were. Thread-safe.
class CopyTarget : public EventLog {
 public:
  /// Like append(), for events that another log recorded at `time`. A time before that of the
  /// newest event here is raised to it.
  virtual Result<void> append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                                       AppendDone done) = 0;

  /// What idempotency knows of an event_id: one of the newest limits::kIdempotencyWindowEvents
  /// events, among them such as are not durable yet.
  [[nodiscard]] virtual std::optional<IdWindow::Known> known(const Uuid& event_id) const = 0;
};

/// Opens `file:DIR` or `memory:` for that. Errors: as open_log(), and foreign where DIR holds
/// another log than LogOptions::origin says.
Result<std::unique_ptr<CopyTarget>> open_copy_target(std::string_view url,
                                                     const LogOptions& options);

}  // namespace vibes::eventlog
