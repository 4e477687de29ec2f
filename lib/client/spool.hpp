// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/deadline.hpp"
#include "event/event.hpp"

namespace vibes::client {

/// Events that wait on disk for a daemon that is down, in a private folder
/// (default_paths().spool()):
///
/// * `events`: one line each: the event_id, a space, the payload as it came, a newline. Only ever
///   appended to.
/// * `draining`: what used to be `events`, while it is being delivered; `drained` says how many of
///   its bytes are.
/// * `refused`: what the log refused for ever, one JSON object a line with the reason, for a person
///   to look at.
/// * `lost`: how many events found no room (see count_lost()).
/// * `lock`, `drain.lock`: flock(2)ed while `events` is changed, and while somebody drains.
///
/// An event is on disk when append() returns. A line without its newline is an append that a crash
/// cut short and of which nobody was told that it succeeded; the next append cuts it off.
///
/// Draining is at least once, which is exactly once in the log: every event has its event_id from
/// the moment it was spooled, and is forgotten only after the log has acknowledged it. After a kill
/// -9 in the middle the log sees the last batch again and recognises it. Appenders never wait for a
/// drain.
///
/// Any number of processes may use one spool; a Spool object belongs to one thread.
class Spool {
 public:
  explicit Spool(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Adds events, all or none, in order; each must have its event_id and a payload of one line (see
  /// to_one_line()). Waits for other appenders, which hold the lock for a write and not for the
  /// disk, until `deadline`. Errors: Errc::spool_full (over limits::kSpoolBytesMax; what is there
  /// stays), Errc::timed_out, or the I/O error; after one of the sync they may be there all the
  /// same.
  Result<void> append(std::span<const event::NewEvent> events, Deadline deadline = kNever);

  /// For a caller whom nobody hears: that it lost `events` to a full spool. Once there is room, the
  /// log is told of all such losses by one event {"type":"spool_full","lost":…,"first":…,"last":…}
  /// with the times of the first and the last, in its place among the spooled ones.
  Result<void> count_lost(std::uint64_t events, Timestamp now, Deadline deadline);

  /// Gives the spooled events in order, in batches of about `batch_bytes`, to `deliver`, which
  /// returns once the log has acknowledged the batch. Stops at the first error and returns it; the
  /// rest stays. Waits for another process's drain until `deadline`, and begins nothing more after
  /// `until`, one sync of the disk at most under way (Errc::timed_out, both). Returns how many
  /// events were delivered.
  ///
  /// For the server at its start, before it listens: drain() with EventLog::append and a wait for
  /// its AppendDone. A batch that fails with event_id_conflict, or because the log refuses one of
  /// its events for what it is, must be delivered event by event, and the culprit be given to
  /// set_aside(): the spool would otherwise stop there for ever.
  using Deliver = std::function<Result<void>(std::span<const event::NewEvent> batch)>;
  Result<std::uint64_t> drain(std::size_t batch_bytes, Deadline deadline, const Deliver& deliver,
                              Deadline until = kNever);

  /// Keeps an event that the log refuses in `refused`. For use inside `deliver`.
  Result<void> set_aside(const event::NewEvent& event, std::string_view reason);

  /// Whether a drain would find something. Costs two stat(2).
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  Result<std::uint64_t> drain_file(std::size_t batch_bytes, const Deliver& deliver, Deadline until);
  /// Makes `events` the file to drain, if none is there already. False: nothing to drain.
  Result<bool> take_over(Deadline until);
  /// Spools the event that tells of losses, if there are any. With the lock, without `draining`.
  Result<void> tell_losses();
  /// Adds that event to `lines`.
  [[nodiscard]] Result<void> add_losses(std::string& lines) const;
  /// Writes `lines` to `events`, all or none. `size`: of what is there.
  Result<void> write_lines(int fd, std::string_view lines, std::uint64_t size);
  Result<void> sync_lines(int fd);
  /// With the lock: the log will be told of the losses by what has been written.
  Result<void> forget_losses(int fd);

  std::filesystem::path directory_;
};

/// `json` with the line breaks between its tokens (there are none inside strings) made spaces.
std::string to_one_line(std::string_view json);

}  // namespace vibes::client
