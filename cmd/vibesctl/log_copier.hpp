// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <system_error>

#include "base/result.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::ctl {

enum class CopyErrc {
  other_log = 1,  // the target holds events that the source does not
  other_writer,   // someone else appends to the target
  gone,           // what is to be copied is no longer in the source
  differs,        // what was read back is not what is in the source
  interrupted,    // as asked for
};
const std::error_category& copy_error_category();
std::error_code make_error_code(CopyErrc code);

/// Which events are to be copied, and where to.
struct CopyPlan {
  Offset from;   // in the source
  Offset until;  // the source's end, when this was made
  Offset to;     // in the target: its end

  [[nodiscard]] std::uint64_t events() const { return until - from; }
  [[nodiscard]] bool keeps_offsets() const { return from == to; }
};

/// Goes on behind the last event that the target has. Changes nothing. Errors: other_log, and those
/// of reading.
Result<CopyPlan> plan_copy(eventlog::EventLog& source, eventlog::EventLog& target);

/// Copies events, with ids and times, and compares what came of it. One thread. Both logs must
/// outlive it; answers that come after its end are ignored.
class LogCopier {
 public:
  /// `done` of the plan's events, with `bytes` of payload.
  using Progress = std::function<void(std::uint64_t done, std::uint64_t bytes)>;
  using Stopped = std::function<bool()>;  // asked now and then

  LogCopier(eventlog::EventLog& source, eventlog::CopyTarget& target, const CopyPlan& plan);
  ~LogCopier();

  /// Many appends are under way at once; it returns when all are answered, or some have not been
  /// for a while after an error or a stop. Errors: other_writer, gone, interrupted; batch_too_large
  /// for an event that the engine does not take; those of the logs.
  Result<void> copy(const Progress& progress, const Stopped& stopped);

  /// Reads back everything that the target has, also what was there before, and compares it with
  /// the source. Returns how many events are the same; what the source no longer has is left out.
  /// Errors: differs (the context says where), interrupted; those of the logs.
  Result<std::uint64_t> verify(const Progress& progress, const Stopped& stopped);

  /// How many events verify() compares where nothing is wrong.
  [[nodiscard]] std::uint64_t to_verify() const { return before() + plan_.events(); }

  [[nodiscard]] std::uint64_t copied() const;  // acknowledged events
  [[nodiscard]] std::uint64_t bytes() const;   // of payload, of those

 private:
  struct Flight;

  Result<void> send_all(const Progress& progress, const Stopped& stopped);
  Result<void> send_in_batches(std::span<const event::EventView> events, const Progress& progress,
                               const Stopped& stopped);
  Result<void> send(std::span<const event::EventView> events);
  Result<void> wait_for_room(std::size_t bytes, const Progress& progress, const Stopped& stopped);
  Result<void> drain(const Progress& progress, const Stopped& stopped);
  void give_up();
  /// Of what the target had before, as much as both still have.
  [[nodiscard]] std::uint64_t before() const;

  eventlog::EventLog& source_;
  eventlog::CopyTarget& target_;
  const CopyPlan plan_;
  const std::shared_ptr<Flight> flight_;  // shared with answers, which may come late
};

}  // namespace vibes::ctl

template <>
struct std::is_error_code_enum<vibes::ctl::CopyErrc> : std::true_type {};
