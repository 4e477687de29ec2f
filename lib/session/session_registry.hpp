// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "session/attachment.hpp"
#include "session/errc.hpp"

namespace vibes::session {

/// What every session of a registry has in common.
struct RegistryOptions {
  /// Run by /bin/sh -c in sessions that name no command of their own; empty: the user's $SHELL,
  /// else /bin/sh.
  std::string command;
  /// VIBES_URL of the children; see also set_url(). Empty: not set.
  std::string url;
  /// VIBES_TOKEN_FILE of the children. Empty: not set.
  std::filesystem::path token_file;
  /// Where sessions start that name no cwd; empty: $HOME, else "/".
  std::filesystem::path cwd;
  /// "NAME=value"s that the children inherit; empty: those of this process, taken once at the
  /// start. What belongs to the daemon alone (NOTIFY_SOCKET and its like) is left out either way.
  std::vector<std::string> environment;
  /// The children's umask: the user's, not the daemon's 077.
  mode_t umask = 022;
  std::size_t scrollback_bytes = limits::kScrollbackBytes;
  /// Between the SIGHUP that ends a session and the SIGKILL for what ignored it.
  std::chrono::milliseconds hang_up_grace = limits::kHangUpGrace;
  /// How long a session that has exited is still listed.
  std::chrono::milliseconds exited_linger = limits::kExitedLinger;
  const Clock* clock = nullptr;  // nullptr: the system's
};

/// What a client asks for when it creates a session, or attaches to one that may not be there yet.
struct SessionSpec {
  enum class IfMissing : std::uint8_t { create, refuse };
  std::string id;  // 1 to limits::kSessionBytesMax bytes without control characters
  std::optional<std::string> name;
  std::optional<std::string> cwd;            // absolute
  std::vector<std::string> command;          // argv; empty: RegistryOptions::command
  std::optional<unsigned> cols;              // 1 to limits::kPtyColsMax; a new session without: 120
  std::optional<unsigned> rows;              // 1 to limits::kPtyRowsMax; a new session without: 40
  std::string owner_id;                      // the client that creates it
  std::optional<std::string> parent;         // the session it is started in
  IfMissing if_missing = IfMissing::create;  // of an attach
};

/// A session as a list shows it. Times in unix seconds.
struct SessionInfo {
  std::string id;
  std::optional<std::string> name;
  std::string state;  // "Running" or "Exited(code)"
  std::string owner_id;
  std::string cwd;
  std::size_t subscriber_count = 0;
  std::int64_t created_at = 0;
  std::int64_t last_activity_at = 0;
  unsigned cols = 0;
  unsigned rows = 0;
  pid_t pid = 0;
};

/// How the registry fares, for /api/health and the metrics.
struct RegistryHealth {
  std::size_t running = 0;
  /// Events that the log has not taken yet; they are appended, in order, as soon as it does.
  std::size_t pending_events = 0;
  /// client_connected and client_disconnected that found the waiting room full while the log took
  /// nothing.
  std::uint64_t lost_events = 0;
  std::string problem;  // why events wait; empty while they flow
};

/// All sessions of a server: one PTY with one process group each. Sessions survive the clients that
/// use them.
///
/// One thread of the registry owns every PTY and every child; callers only leave commands with it,
/// which are carried out in the order they were left, and it answers through `done`, called on that
/// thread (or at once on the caller's, when the queue is full or the registry is stopping): it must
/// be short and must not wait.
///
/// What happens to sessions is appended to the log and reported to nobody else: session_created,
/// session_state_changed and session_removed, each exactly once, in this order per session. Clients
/// learn of it by reading the log.
///
/// Thread-safe.
class SessionRegistry {
 public:
  using Done = std::function<void(Result<void>)>;
  using Attached = std::function<void(Result<std::shared_ptr<Attachment>>)>;
  using Created = std::function<void(Result<SessionInfo>)>;

  /// Starts the thread. `log` must outlive the registry. Errors: the system's.
  static Result<std::unique_ptr<SessionRegistry>> start(eventlog::EventLog& log,
                                                        RegistryOptions options);
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;
  /// stop(), if that has not been called.
  ~SessionRegistry();

  /// The children's VIBES_URL, for sessions created from now on: known once the server listens.
  void set_url(std::string url);

  /// `done` is called once readers of the log see session_created, and with a parent session_linked
  /// (or the log refuses it for now). Errors: Errc::session_exists, bad_session_id, bad_size,
  /// bad_cwd, bad_command, bad_name, too_many_sessions, log_unavailable, stopping, busy, or
  /// spawn_failed with the system's reason.
  void create(SessionSpec spec, Created done);
  /// Creates the session if it is missing, unless the spec says not to. `wake` is called, on any
  /// thread, whenever the attachment has something new: see Attachment. Errors: as create();
  /// session_exited for a session that is listed but has ended.
  ///
  /// After `done` was given an attachment, `recorded` is called: for a session that this has
  /// created once readers of the log see session_created (or the log refuses it for now), else at
  /// once.
  void attach(SessionSpec spec, Attachment::Wake wake, Attached done,
              std::function<void()> recorded = {});
  /// Leaves bytes to be written to the PTY, all or none. `done` is called once no more than
  /// limits::kPtyInputQueueBytesMax wait for the session's program to read them, or it has ended:
  /// whoever has only so much unanswered cannot make input pile up. Errors: session_not_found,
  /// input_too_large, busy.
  void input(std::string id, std::string bytes, Done done);
  /// Errors: session_not_found, bad_size, busy.
  void resize(std::string id, unsigned cols, unsigned rows, Done done);
  /// Ends the process group and appends session_removed, reason killed. The session is gone from
  /// the list and the event is in the log (unless that refuses for now) when `done` is called;
  /// SIGKILL follows after the grace if SIGHUP was not enough. Errors: session_not_found (and no
  /// event), busy.
  void kill(std::string id, Done done);

  /// Calls `done` once everything that this thread left before has been carried out.
  void flush(std::function<void()> done);

  [[nodiscard]] std::vector<SessionInfo> list() const;
  [[nodiscard]] std::optional<SessionInfo> find(std::string_view id) const;
  [[nodiscard]] RegistryHealth health() const;

  /// Appends client_connected or client_disconnected. Kept and tried again where the log refuses.
  void client_connected(std::string_view client_id);
  void client_disconnected(std::string_view client_id);

  /// First half of the server's stop: takes no new sessions and hangs up on those there are. Does
  /// not wait.
  void request_stop();
  /// Second half, after the clients are closed and before the log is: waits until every child is
  /// reaped (SIGKILL comes after the grace) and their events, and the clients' last ones, are in
  /// the log, at most until `timeout`. False if some event could not be appended in that time.
  /// Idempotent.
  bool stop(std::chrono::milliseconds timeout = limits::kSessionsStopWithin);

 private:
  class Impl;
  explicit SessionRegistry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vibes::session
