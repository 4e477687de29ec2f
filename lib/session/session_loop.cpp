// SPDX-License-Identifier: MIT
#include "session/session_loop.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <sys/epoll.h>
#include <utility>

#include "base/limits.hpp"
#include "event/session_link.hpp"
#include "session/errc.hpp"
#include "session/session_events.hpp"

namespace vibes::session {

namespace {

constexpr std::size_t kReadBufferBytes = 64 * limits::kKiB;
// One session's share of a turn, so that a flood in one terminal does not silence the others.
constexpr std::size_t kReadTurnBytes = 256 * limits::kKiB;
// What a program left in its terminal when it ended; more can only come from others who still write
// there.
constexpr std::size_t kReadAtExitBytes = 4 * limits::kMiB;
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::int64_t kMicrosPerSecond = 1'000'000;
// How soon to look again at a terminal that nobody has open.
constexpr std::int64_t kWatchAgainNs = 250 * kNanosPerMilli;
// How soon to look whether the rest of a group whose leader has ended is gone too; nothing tells.
constexpr std::int64_t kGroupCheckNs = 50 * kNanosPerMilli;
constexpr unsigned kColsDefault = 120;  // as the Rust project
constexpr unsigned kRowsDefault = 40;

// epoll keys: 0 is the command queue, otherwise a session's serial and one bit.
constexpr std::uint64_t kCommandsKey = 0;
std::uint64_t terminal_key(const Session& session) { return session.serial() << 1U; }
std::uint64_t exit_key(const Session& session) { return session.serial() << 1U | 1U; }

bool is_size(std::optional<unsigned> value, unsigned max) {
  return !value || (*value >= 1 && *value <= max);
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_session_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::kSessionBytesMax && !has_control_characters(id);
}

Result<void> check_spec(const SessionSpec& spec) {
  if (!is_session_id(spec.id) || (spec.parent && !is_session_id(*spec.parent))) {
    return fail(Errc::bad_session_id, {});
  }
  if (spec.name && spec.name->size() > limits::kSessionNameBytesMax) {
    return fail(Errc::bad_name, {});
  }
  if (!is_size(spec.cols, limits::kPtyColsMax) || !is_size(spec.rows, limits::kPtyRowsMax)) {
    return fail(Errc::bad_size, {});
  }
  return {};
}

std::vector<event::NewEvent> creation_of(const SessionSpec& spec) {
  std::vector<event::NewEvent> events;
  events.push_back(session_created(spec.id, spec.name));
  if (spec.parent && *spec.parent != spec.id) {
    events.push_back(
        event::make_session_linked({*spec.parent, spec.id, event::SessionRelation::subagent}));
  }
  return events;
}

void modify(int epoll, int fd, std::uint64_t key, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  (void)::epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

SessionLoop::SessionLoop(RegistryOptions options, const Clock& clock,
                         std::shared_ptr<CommandQueue> commands, EventOutbox& outbox,
                         SessionTable& table, UniqueFd epoll)
    : options_(std::move(options)),
      clock_(clock),
      commands_(std::move(commands)),
      outbox_(outbox),
      table_(table),
      epoll_(std::move(epoll)),
      buffer_(kReadBufferBytes) {
  modify(epoll_.get(), commands_->wait_fd(), kCommandsKey, EPOLLIN, EPOLL_CTL_ADD);
}

std::int64_t SessionLoop::unix_seconds() const { return clock_.now().unix_us / kMicrosPerSecond; }

std::int64_t SessionLoop::after_grace() const {
  return clock_.steady_ns() + options_.hang_up_grace.count() * kNanosPerMilli;
}

void SessionLoop::run() {
  std::array<epoll_event, 64> ready{};
  while (!quit_requested_) {
    const int count =
        ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), timeout_ms());
    obey_requests();
    for (const CommandQueue::Command& command : commands_->take()) {
      command(std::nullopt);
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = ready[static_cast<std::size_t>(i)];
      on_ready(event.data.u64, event.events);
    }
    run_timers();
    note_stopped();
  }
  for (const CommandQueue::Command& command : commands_->take()) {
    command(Error{Errc::stopping, {}});
  }
}

void SessionLoop::obey_requests() {
  if (stop_requested_ && !stopping_) {
    begin_stop();
  }
  if (abandon_requested_) {
    abandon();
  }
}

void SessionLoop::note_stopped() {
  if (stopping_ && sessions_.empty()) {
    const MutexLock lock(stopped_mutex_);
    stopped_ = true;
    stopped_changed_.notify_all();
  }
}

bool SessionLoop::wait_until_stopped(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(stopped_mutex_);
  while (!stopped_) {
    if (stopped_changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
      return stopped_;
    }
  }
  return true;
}

Result<void> SessionLoop::check_new(const SessionSpec& spec) const {
  VIBES_TRY(check_spec(spec));
  if (stopping_) {
    return fail(Errc::stopping, {});
  }
  // Those killed but not gone yet still hold a process and a terminal.
  if (sessions_.size() >= limits::kSessionsMax) {
    return fail(Errc::too_many_sessions, {});
  }
  if (!outbox_.has_room_for_session()) {
    return fail(Errc::log_unavailable, outbox_.health().problem);
  }
  return {};
}

Result<ChildImage> SessionLoop::image_for(const SessionSpec& spec) const {
  ChildImage image;
  image.environment = options_.environment;
  set_variable(image.environment, "TERM", "xterm-256color");
  set_variable(image.environment, "COLORTERM", "truecolor");
  set_variable(image.environment, "VIBES_SESSION_ID", spec.id);
  if (!options_.url.empty()) {
    set_variable(image.environment, "VIBES_URL", options_.url);
  }
  if (!options_.token_file.empty()) {
    set_variable(image.environment, "VIBES_TOKEN_FILE", options_.token_file.string());
  }
  image.cwd = spec.cwd.value_or(options_.cwd.string());
  image.umask = options_.umask;
  VIBES_TRY(check_cwd(image.cwd));
  if (!spec.command.empty()) {
    image.argv = spec.command;
  } else if (!options_.command.empty()) {
    image.argv = {"/bin/sh", "-c", options_.command};
  } else {
    image.argv = {user_shell(options_.environment)};
  }
  VIBES_TRY_ASSIGN(program, find_program(image.argv.front(), image.environment, image.cwd));
  image.program = std::move(program);
  return image;
}

Result<SessionTable::Entry> SessionLoop::start_session(const SessionSpec& spec) {
  VIBES_TRY(check_new(spec));
  VIBES_TRY_ASSIGN(image, image_for(spec));
  const TerminalSize size{.cols = spec.cols.value_or(kColsDefault),
                          .rows = spec.rows.value_or(kRowsDefault)};
  VIBES_TRY_ASSIGN(pty, Pty::spawn(image, size));

  const std::uint64_t serial = next_serial_++;
  auto stream = std::make_shared<SessionStream>(
      options_.scrollback_bytes, [queue = std::weak_ptr(commands_), this, id = spec.id, serial] {
        if (const auto commands = queue.lock()) {
          commands->push(0, [this, id, serial](const std::optional<Error>& refused) {
            if (!refused) {
              repaint(id, serial);
            }
          });
        }
      });
  stream->set_size({.cols = size.cols, .rows = size.rows});
  stream->touch(unix_seconds());
  SessionTable::Entry entry{.serial = serial,
                            .id = spec.id,
                            .name = spec.name,
                            .owner_id = spec.owner_id,
                            .cwd = image.cwd,
                            .created_at = unix_seconds(),
                            .pid = pty.pid(),
                            .stream = stream,
                            .end = {}};
  auto session = std::make_unique<Session>(serial, spec.id, std::move(pty), std::move(stream));
  modify(epoll_.get(), session->pty().pidfd(), exit_key(*session), EPOLLIN, EPOLL_CTL_ADD);
  watch(*session);
  sessions_.emplace(serial, std::move(session));
  // Listed before it is told: who hears of it must find it.
  table_.insert(entry);
  return entry;
}

void SessionLoop::create(const SessionSpec& spec, SessionRegistry::Created done) {
  if (table_.find(spec.id)) {
    done(fail(Errc::session_exists, spec.id));
    return;
  }
  auto entry = start_session(spec);
  if (!entry) {
    done(fail(std::move(entry).error()));
    return;
  }
  outbox_.push(creation_of(spec),
               [done = std::move(done), info = SessionTable::info(*entry)] { done(info); });
}

Result<SessionTable::Entry> SessionLoop::find_or_start(const SessionSpec& spec) {
  VIBES_TRY(check_spec(spec));
  const auto entry = table_.find(spec.id);
  if (!entry) {
    if (spec.if_missing == SessionSpec::IfMissing::refuse) {
      return fail(Errc::session_not_found, spec.id);
    }
    return start_session(spec);
  }
  if (entry->end) {
    return fail(Errc::session_exited, spec.id + " has " + state_name(entry->end));
  }
  if (spec.cols || spec.rows) {
    const SessionStream::Size size = entry->stream->size();
    VIBES_TRY(resize(
        spec.id, {.cols = spec.cols.value_or(size.cols), .rows = spec.rows.value_or(size.rows)}));
  }
  return *entry;
}

void SessionLoop::attach(const SessionSpec& spec, const Attachment::Wake& wake,
                         const SessionRegistry::Attached& done, std::function<void()> recorded) {
  const bool creates = !table_.find(spec.id);
  const auto entry = find_or_start(spec);
  if (!entry) {
    done(fail(entry.error()));
    return;
  }
  done(std::make_shared<Attachment>(entry->stream, wake));
  if (creates) {
    outbox_.push(creation_of(spec), std::move(recorded));
  } else if (recorded) {
    recorded();
  }
}

Session* SessionLoop::running(std::string_view id) {
  const auto entry = table_.find(id);
  if (!entry || entry->end) {
    return nullptr;
  }
  const auto found = sessions_.find(entry->serial);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void SessionLoop::input(std::string_view id, std::string_view bytes, SessionRegistry::Done done) {
  Session* session = running(id);
  if (session == nullptr) {
    done(fail(Errc::session_not_found, std::string(id)));
    return;
  }
  session->queue_input(bytes, [done = std::move(done)] { done({}); });
  session->stream().touch(unix_seconds());
  watch(*session);
}

Result<void> SessionLoop::resize(std::string_view id, TerminalSize size) {
  if (size.cols == 0 || size.rows == 0 || size.cols > limits::kPtyColsMax ||
      size.rows > limits::kPtyRowsMax) {
    return fail(Errc::bad_size, {});
  }
  Session* session = running(id);
  if (session == nullptr) {
    return fail(Errc::session_not_found, std::string(id));
  }
  return session->resize(size);
}

void SessionLoop::kill(std::string_view id, SessionRegistry::Done done) {
  const auto entry = table_.find(id);
  if (!entry) {
    done(fail(Errc::session_not_found, std::string(id)));
    return;
  }
  table_.remove(id, entry->serial);
  const auto found = sessions_.find(entry->serial);
  if (entry->end || found == sessions_.end()) {
    done({});  // it has exited, which the log knows; now it is not listed any more either
    return;
  }
  Session& session = *found->second;
  session.removed = true;
  session.drop_input();
  session.stream().finish({});  // first: see Attachment::has_ended()
  append(session_removed(id, RemovalReason::killed), [done = std::move(done)] { done({}); });
  end_later(session);
}

void SessionLoop::repaint(std::string_view id, std::uint64_t serial) {
  Session* session = running(id);
  if (session != nullptr && session->serial() == serial) {
    session->pty().ask_to_repaint();
  }
}

void SessionLoop::end_later(Session& session) {
  session.asked_to_end = true;
  session.kill_at_ns = after_grace();
  session.pty().hang_up();
}

void SessionLoop::begin_stop() {
  stopping_ = true;
  for (auto& [serial, session] : sessions_) {
    if (!session->asked_to_end) {
      end_later(*session);
    }
  }
}

void SessionLoop::abandon() {
  for (auto& [serial, session] : sessions_) {
    session->pty().kill();
    if (!session->removed) {
      publish_end(*session, {});
    }
  }
  sessions_.clear();
}

void SessionLoop::watch(Session& session) {
  if (session.watch_again_at_ns || session.reaped) {
    return;
  }
  const std::uint32_t events = EPOLLIN | (session.has_input() ? EPOLLOUT : 0U);
  modify(epoll_.get(), session.pty().master(), terminal_key(session), events,
         session.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
  session.watched = true;
}

void SessionLoop::unwatch(Session& session) {
  if (session.watched) {
    modify(epoll_.get(), session.pty().master(), 0, 0, EPOLL_CTL_DEL);
    session.watched = false;
  }
}

void SessionLoop::on_ready(std::uint64_t key, std::uint32_t events) {
  const auto found = sessions_.find(key >> 1U);
  if (key == kCommandsKey || found == sessions_.end()) {
    return;
  }
  Session& session = *found->second;
  if (key == exit_key(session)) {
    on_exit(session);
  } else if (session.watched) {
    on_terminal(session, events);
  }
}

void SessionLoop::on_terminal(Session& session, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    session.write_input();
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 &&
      session.read_output(buffer_, kReadTurnBytes, unix_seconds()) == Session::Output::no_writer) {
    // epoll would report this for ever; somebody may open the terminal again while the child lives.
    unwatch(session);
    session.watch_again_at_ns = clock_.steady_ns() + kWatchAgainNs;
  }
  watch(session);
}

void SessionLoop::on_exit(Session& session) {
  const auto end = session.pty().reap();
  if (!end) {
    return;
  }
  (void)session.read_output(buffer_, kReadAtExitBytes, unix_seconds());
  unwatch(session);
  modify(epoll_.get(), session.pty().pidfd(), 0, 0, EPOLL_CTL_DEL);
  session.reaped = true;
  if (!session.removed) {
    publish_end(session, *end);
  }
  // Of a session that was to end, the whole group is to end, within the grace.
  if (!session.kill_at_ns || !session.pty().group_alive()) {
    sessions_.erase(session.serial());
  }
}

void SessionLoop::publish_end(Session& session, const SessionEnd& end) {
  session.removed = true;
  session.drop_input();
  const auto reason =
      session.asked_to_end ? RemovalReason::killed : RemovalReason::session_finished;
  if (stopping_) {
    table_.remove(session.id(), session.serial());
  } else {
    make_room_for_exited();
    table_.set_end(session.id(), session.serial(), end);
    exited_.push_back(
        {.id = session.id(),
         .serial = session.serial(),
         .until_ns = clock_.steady_ns() + options_.exited_linger.count() * kNanosPerMilli});
  }
  std::vector<event::NewEvent> events;
  events.push_back(session_state_changed(session.id(), end));
  events.push_back(session_removed(session.id(), reason));
  session.stream().finish(end);  // first: see Attachment::has_ended()
  outbox_.push(std::move(events));
}

void SessionLoop::append(event::NewEvent event, std::function<void()> settled) {
  std::vector<event::NewEvent> events;
  events.push_back(std::move(event));
  outbox_.push(std::move(events), std::move(settled));
}

void SessionLoop::make_room_for_exited() {
  if (exited_.size() >= limits::kSessionsMax) {
    table_.remove(exited_.front().id, exited_.front().serial);
    exited_.erase(exited_.begin());
  }
}

int SessionLoop::timeout_ms() {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  const auto consider = [&](std::optional<std::int64_t> at) {
    next = std::min(next, at.value_or(next));
  };
  for (const auto& [serial, session] : sessions_) {
    consider(session->kill_at_ns);
    consider(session->watch_again_at_ns);
    if (session->reaped) {
      consider(clock_.steady_ns() + kGroupCheckNs);
    }
  }
  if (!exited_.empty()) {
    consider(exited_.front().until_ns);
  }
  consider(outbox_.due_ns());
  if (next == std::numeric_limits<std::int64_t>::max()) {
    return -1;
  }
  const std::int64_t wait_ns = std::max<std::int64_t>(0, next - clock_.steady_ns());
  return static_cast<int>(std::min<std::int64_t>(wait_ns / kNanosPerMilli + 1, 60'000));
}

void SessionLoop::run_timers() {
  const std::int64_t now = clock_.steady_ns();
  for (auto& [serial, session] : sessions_) {
    if (session->watch_again_at_ns && *session->watch_again_at_ns <= now) {
      session->watch_again_at_ns.reset();
      watch(*session);
    }
    if (session->kill_at_ns && *session->kill_at_ns <= now && session->pty().group_alive()) {
      session->pty().kill();
      session->kill_at_ns.reset();
    }
  }
  std::erase_if(sessions_, [](const auto& item) {
    Session& session = *item.second;
    return session.reaped && (!session.kill_at_ns || !session.pty().group_alive());
  });
  while (!exited_.empty() && exited_.front().until_ns <= now) {
    table_.remove(exited_.front().id, exited_.front().serial);
    exited_.erase(exited_.begin());
  }
  outbox_.service();
}

}  // namespace vibes::session
