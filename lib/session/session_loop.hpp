// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.hpp"
#include "session/command_queue.hpp"
#include "session/event_outbox.hpp"
#include "session/session.hpp"
#include "session/session_registry.hpp"
#include "session/session_table.hpp"

namespace vibes::session {

/// The session thread: owns every PTY and every child, and is the only one that forks. Everything
/// but the constructor and the methods marked so runs on that thread.
class SessionLoop {
 public:
  SessionLoop(RegistryOptions options, const Clock& clock, std::shared_ptr<CommandQueue> commands,
              EventOutbox& outbox, SessionTable& table, UniqueFd epoll);

  /// Until request_quit().
  void run();

  // Commands.
  void create(const SessionSpec& spec, SessionRegistry::Created done);
  void attach(const SessionSpec& spec, const Attachment::Wake& wake,
              const SessionRegistry::Attached& done, std::function<void()> recorded);
  void input(std::string_view id, std::string_view bytes, SessionRegistry::Done done);
  Result<void> resize(std::string_view id, TerminalSize size);
  void kill(std::string_view id, SessionRegistry::Done done);
  void repaint(std::string_view id, std::uint64_t serial);
  void set_url(std::string url) { options_.url = std::move(url); }

  // Any thread; carried out at the next turn, whatever waits in the queue.
  /// No new sessions; hangs up on those there are.
  void request_stop() { request(stop_requested_); }
  /// Appends the end of sessions whose processes would not end, and forgets them.
  void request_abandon() { request(abandon_requested_); }
  void request_quit() { request(quit_requested_); }
  /// Waits until a requested stop has left no process. False at the timeout.
  bool wait_until_stopped(std::chrono::milliseconds timeout);

 private:
  struct Exited {
    std::string id;
    std::uint64_t serial = 0;
    std::int64_t until_ns = 0;
  };

  void request(std::atomic<bool>& flag) {
    flag = true;
    commands_->nudge();
  }
  void obey_requests();
  void begin_stop();
  void abandon();
  void note_stopped();

  [[nodiscard]] std::int64_t unix_seconds() const;
  [[nodiscard]] std::int64_t after_grace() const;

  Result<void> check_new(const SessionSpec& spec) const;
  Result<ChildImage> image_for(const SessionSpec& spec) const;
  Result<SessionTable::Entry> find_or_start(const SessionSpec& spec);
  Result<SessionTable::Entry> start_session(const SessionSpec& spec);
  Session* running(std::string_view id);

  void watch(Session& session);
  void unwatch(Session& session);
  void on_ready(std::uint64_t key, std::uint32_t events);
  void on_terminal(Session& session, std::uint32_t events);
  void on_exit(Session& session);
  void publish_end(Session& session, const SessionEnd& end);
  void end_later(Session& session);
  void append(event::NewEvent event, std::function<void()> settled);
  void make_room_for_exited();

  [[nodiscard]] int timeout_ms();
  void run_timers();

  RegistryOptions options_;
  const Clock& clock_;
  std::shared_ptr<CommandQueue> commands_;  // shared with streams, which ask for repaints
  EventOutbox& outbox_;
  SessionTable& table_;
  UniqueFd epoll_;
  std::vector<char> buffer_;
  std::map<std::uint64_t, std::unique_ptr<Session>> sessions_;  // by serial; also those dying
  std::vector<Exited> exited_;                                  // oldest first
  std::uint64_t next_serial_ = 1;
  bool stopping_ = false;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<bool> abandon_requested_ = false;
  std::atomic<bool> quit_requested_ = false;

  Mutex stopped_mutex_;
  CondVar stopped_changed_;
  bool stopped_ VIBES_GUARDED_BY(stopped_mutex_) = false;
};

}  // namespace vibes::session
