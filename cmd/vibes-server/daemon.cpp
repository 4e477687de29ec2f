// SPDX-License-Identifier: MIT
#include "daemon.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <sys/eventfd.h>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "cli/signals.hpp"
#include "consumers/assessment/assessment_consumer.hpp"
#include "consumers/broadcaster.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/group_runner.hpp"
#include "consumers/interventions/intervention_handler.hpp"
#include "consumers/interventions/intervention_store.hpp"
#include "consumers/notifications/notification_handler.hpp"
#include "consumers/session_links.hpp"
#include "consumers/sessions/session_collector.hpp"
#include "consumers/websocket_consumer.hpp"
#include "diag.hpp"
#include "engines/open.hpp"
#include "eventlog/open.hpp"
#include "io/file_system.hpp"
#include "net/append_budget.hpp"
#include "net/auth.hpp"
#include "net/routes.hpp"
#include "net/server.hpp"
#include "preflight.hpp"
#include "readiness.hpp"
#include "session/session_registry.hpp"
#include "spool_drain.hpp"

namespace vibes::server {

namespace {

using cli::ExitCode;

// The parts of kStopWithin, all counted from its beginning: the clients say goodbye while the
// sessions' programs have their grace; the rest is for the log.
constexpr std::chrono::milliseconds kClientsStopWithin{4'000};
constexpr std::chrono::milliseconds kSessionsStopWithin{7'000};
static_assert(kSessionsStopWithin > limits::kHangUpGrace);

ExitCode exit_code_of(const Error& error) {
  if (error.code == eventlog::Errc::locked) {
    return ExitCode::already_running;
  }
  if (error.code == eventlog::Errc::corrupt || error.code == eventlog::Errc::foreign ||
      error.code == eventlog::Errc::unsupported_format) {
    return ExitCode::damaged;
  }
  if (error.code == eventlog::Errc::bad_url) {
    return ExitCode::usage;
  }
  if (error.code == eventlog::Errc::unreachable) {
    return ExitCode::cannot_connect;
  }
  if (error.code == eventlog::Errc::unauthorized) {
    return ExitCode::authentication;
  }
  if (error.code == eventlog::Errc::other_settings) {
    return ExitCode::conflict;
  }
  if (error.code == std::errc::address_in_use || error.code == std::errc::too_many_files_open) {
    return ExitCode::failure;
  }
  return ExitCode::io_error;
}

std::string_view hint_for(const Error& error) {
  if (error.code == eventlog::Errc::locked) {
    return "another vibes-server has this log open; stop it, or choose another with --log";
  }
  if (error.code == eventlog::Errc::corrupt) {
    return "nothing was changed; see what is left with: vibesctl log verify";
  }
  if (error.code == eventlog::Errc::bad_url) {
    return "--log takes file:DIR, memory:, nats://HOST/STREAM, iggy+http://USER:PASSWORD@HOST or "
           "iggy:DIR";
  }
  if (error.code == eventlog::Errc::unreachable) {
    return "is it running there? --engine-wait says how long to wait for it";
  }
  if (error.code == std::errc::address_in_use) {
    return "something listens there already; choose another with --listen or --unix, port 0 is any "
           "free one";
  }
  if (error.code == std::errc::permission_denied) {
    return "the directory must belong to you and be writable by nobody else";
  }
  return {};
}

/// The log failed and must not be written to again: leave at once, what is durable is safe.
[[noreturn]] void die_of_log(const Error& error) {
  diag_error("the log has failed: " + error.message());
  ::_exit(cli::to_int(ExitCode::io_error));
}

/// The groups in this process leave the cores and the disk to those who append and watch.
consumers::RunnerOptions in_the_background() {
  consumers::RunnerOptions options;
  options.commit_pause = std::chrono::milliseconds(100);
  options.gather_for = std::chrono::milliseconds(5);
  return options;
}

/// Everything the daemon is made of, in the order it is started; destroyed in the opposite one.
class Daemon {
 public:
  Daemon(Options options, mode_t users_umask)
      : options_(std::move(options)), users_umask_(users_umask) {}

  Result<void> start();
  void stop();
  [[nodiscard]] const std::string& url() const { return server_->url(); }

 private:
  Result<void> open_token();
  Result<void> open_log();
  void start_spool_drain();
  Result<void> start_consumers();
  Result<std::string> make_state_of_log(const char* name);
  Result<void> start_transcripts();
  Result<void> start_assessment();
  Result<void> start_interventions();
  Result<std::unique_ptr<consumers::WebPush>> open_push();
  Result<void> start_notifications();
  Result<void> start_sessions();
  Result<void> start_server(std::size_t connections_max);

  Options options_;
  mode_t users_umask_;
  std::optional<net::Token> token_;
  std::unique_ptr<eventlog::EventLog> log_;
  consumers::Broadcaster broadcaster_;
  std::unique_ptr<consumers::WebsocketConsumer> websocket_consumer_;
  std::unique_ptr<consumers::GroupRegistry> groups_;
  std::unique_ptr<consumers::SessionLinks> links_;
  std::unique_ptr<consumers::TranscriptStore> transcripts_;
  std::unique_ptr<consumers::GroupRunner> session_collector_;
  std::unique_ptr<consumers::GroupRunner> assessment_;
  std::unique_ptr<consumers::InterventionStore> interventions_;
  std::unique_ptr<consumers::GroupRunner> intervention_gatherer_;
  std::unique_ptr<consumers::Notifier> notifier_;
  std::unique_ptr<consumers::GroupRunner> notifications_;
  std::unique_ptr<session::SessionRegistry> sessions_;
  std::unique_ptr<SpoolDrain> spool_drain_;
  net::AppendBudget budget_;
  std::unique_ptr<net::Services> services_;
  std::unique_ptr<net::Routes> routes_;
  std::unique_ptr<net::Server> server_;
};

Result<void> Daemon::start() {
  VIBES_TRY_ASSIGN(connections_max, prepare_descriptors());
  VIBES_TRY(make_private_directory(options_.paths.runtime));
  VIBES_TRY(open_token());
  VIBES_TRY(open_log());
  VIBES_TRY(start_consumers());
  VIBES_TRY(start_sessions());
  start_spool_drain();
  return start_server(connections_max);
}

Result<void> Daemon::open_token() {
  VIBES_TRY_ASSIGN(token, net::Token::load_or_create(options_.paths.token()));
  if (options_.auth == AuthMode::token) {
    token_ = std::move(token);
  } else {
    diag_warning(
        "--auth none: everyone on this machine can read and write events and run sessions");
  }
  return {};
}

Result<void> Daemon::open_log() {
  eventlog::LogOptions log_options;
  log_options.durability = options_.durability;
  log_options.retention = options_.retention;
  log_options.on_fatal = die_of_log;
  log_options.engine_within = options_.engine_wait;
  log_options.outbox = options_.outbox;
  // These keep what they know on this machine, and what they commit belongs to that. Every server
  // has transcripts and gives interventions; one of those that share a log assesses.
  log_options.groups_kept_here = {"sessions", "interventions", "assessment"};
  log_options.groups_of_each = {"sessions", "interventions"};
  if (engines::is_elsewhere(options_.log_url)) {
    const auto directory = options_.paths.state / "engines";
    VIBES_TRY(make_private_directory(options_.paths.state));
    VIBES_TRY(make_private_directory(directory));
    log_options.state_directory = directory.string();
  }
  VIBES_TRY_ASSIGN(log, engines::open_log(options_.log_url, log_options));
  log_ = std::move(log);
  const eventlog::LogStatus status = log_->status();
  diag_info("log " + status.url + ", durability " + status.durability_text() + ", events " +
            std::to_string(log_->first().value()) + " to " + std::to_string(log_->end().value()));
  if (!status.recovery.empty()) {
    diag_warning("recovery: " + status.recovery);
  }
  return {};
}

Result<void> Daemon::start_consumers() {
  websocket_consumer_ = std::make_unique<consumers::WebsocketConsumer>(*log_, broadcaster_);
  consumers::GroupRegistry::Options group_options;
  VIBES_TRY_ASSIGN(letters, make_state_of_log("dead-letters"));
  group_options.dead_letters_directory = std::move(letters);
  VIBES_TRY_ASSIGN(groups, consumers::GroupRegistry::open(*log_, group_options));
  groups_ = std::move(groups);
  links_ = std::make_unique<consumers::SessionLinks>(*log_);
  groups_->add_live("websocket", [this] {
    return consumers::GroupRegistry::LiveView{websocket_consumer_->position(),
                                              websocket_consumer_->problem()};
  });
  VIBES_TRY(start_transcripts());
  if (options_.assessment) {
    VIBES_TRY(start_assessment());
  }
  if (options_.interventions == Interventions::handed_out) {
    VIBES_TRY(start_interventions());
  }
  return start_notifications();
}

/// The path of what one of our parts keeps about this log; empty for a log that keeps nothing.
/// Per log: another log has other groups, and another daemon may have it open at the same time.
Result<std::string> Daemon::make_state_of_log(const char* name) {
  if (options_.log_url.starts_with("memory:")) {
    return std::string();
  }
  const auto directory = options_.paths.state / name / to_string(log_->log_id());
  VIBES_TRY(make_private_directory(options_.paths.state));
  VIBES_TRY(make_private_directory(directory.parent_path()));
  return directory.string();
}

Result<void> Daemon::start_transcripts() {
  VIBES_TRY_ASSIGN(directory, make_state_of_log("transcripts"));
  if (!directory.empty()) {
    VIBES_TRY_ASSIGN(exists, io::posix_file_system().exists(directory));
    if (!exists) {
      // Whoever removed it wants the transcripts made anew.
      VIBES_TRY(groups_->seek("sessions", log_->first()));
    }
  }
  transcripts_ =
      std::make_unique<consumers::TranscriptStore>(std::move(directory), io::posix_file_system());
  // Requests may come before the collector has begun. It does the same again, and says what fails.
  const Offset first = log_->first();
  (void)transcripts_->restart(log_->group_offsets().committed("sessions").value_or(first), first);
  consumers::RunnerOptions runner_options = in_the_background();
  runner_options.group = "sessions";
  session_collector_ = std::make_unique<consumers::GroupRunner>(
      *log_, *groups_, consumers::collect_sessions(*transcripts_, *log_), runner_options);
  return {};
}

Result<void> Daemon::start_assessment() {
  VIBES_TRY_ASSIGN(state, make_state_of_log("assessment"));
  const std::string state_file = state.empty() ? state : state + ".json";
  diag_info("assessment: " + (options_.backend ? "summaries by " + options_.backend->command
                                               : "summaries by rule, no model is asked"));
  consumers::RunnerOptions runner_options = in_the_background();
  runner_options.group = "assessment";
  assessment_ = std::make_unique<consumers::GroupRunner>(
      *log_, *groups_,
      [this, state_file](Offset start) -> std::unique_ptr<consumers::Handler> {
        auto opened = consumers::assessment::AssessmentConsumer::open(
            *log_, io::posix_file_system(), state_file, *options_.assessment, start,
            options_.backend);
        if (!opened) {
          throw std::runtime_error(opened.error().message());
        }
        return *std::move(opened);
      },
      runner_options);
  return {};
}

Result<void> Daemon::start_interventions() {
  VIBES_TRY_ASSIGN(state, make_state_of_log("interventions"));
  const std::string state_file = state.empty() ? state : state + ".json";
  if (!state_file.empty()) {
    VIBES_TRY_ASSIGN(exists, io::posix_file_system().exists(state_file));
    if (!exists) {
      // What waits is then found in the log again.
      VIBES_TRY(groups_->seek("interventions", log_->first()));
    }
  }
  interventions_ =
      std::make_unique<consumers::InterventionStore>(consumers::InterventionStore::Places{
          *log_, io::posix_file_system(), state_file, system_clock()});
  // A hook may ask before the group has begun. It does the same again, and says what fails.
  const Offset first = log_->first();
  (void)interventions_->restart(log_->group_offsets().committed("interventions").value_or(first));
  consumers::RunnerOptions runner_options = in_the_background();
  runner_options.group = "interventions";
  intervention_gatherer_ = std::make_unique<consumers::GroupRunner>(
      *log_, *groups_, consumers::gather_interventions(*interventions_), runner_options);
  return {};
}

/// Of the user and not of a log: a browser subscribes to the key.
Result<std::unique_ptr<consumers::WebPush>> Daemon::open_push() {
  std::filesystem::path directory;
  if (!options_.log_url.starts_with("memory:")) {
    directory = options_.paths.state / "push";
    VIBES_TRY(make_private_directory(directory));
  }
  return consumers::WebPush::open(directory, options_.notify_texts.push_subject, system_clock());
}

/// Also without a channel: a stall is an event for every reader, and the group goes on where it
/// was when a channel is configured again.
Result<void> Daemon::start_notifications() {
  consumers::NotifyOptions notify_options = options_.notify;
  notify_options.on_trouble = [](const std::string& text) { diag_warning(text); };
  if (options_.notify_texts.push == "on") {
    VIBES_TRY_ASSIGN(push, open_push());
    notify_options.push = std::move(push);
  }
  VIBES_TRY_ASSIGN(notifier, consumers::Notifier::start(std::move(notify_options)));
  notifier_ = std::move(notifier);
  consumers::RunnerOptions runner_options = in_the_background();
  runner_options.group = "notifications";
  runner_options.first_start = consumers::FirstStart::end;
  runner_options.tick_every = consumers::kLookForStallsEvery;
  notifications_ = std::make_unique<consumers::GroupRunner>(
      *log_, *groups_, consumers::notify(*notifier_, *log_, system_clock()), runner_options);
  return {};
}

Result<void> Daemon::start_sessions() {
  session::RegistryOptions session_options;
  session_options.command = options_.session_command;
  session_options.token_file = options_.paths.token();
  session_options.umask = users_umask_;
  VIBES_TRY_ASSIGN(sessions, session::SessionRegistry::start(*log_, session_options));
  sessions_ = std::move(sessions);
  return {};
}

/// The spool is that of the clients which look for the server at its usual place. A server that is
/// elsewhere, or forgets, must not take what was meant for another.
void Daemon::start_spool_drain() {
  if (options_.unix_path != options_.paths.socket() || options_.log_url.starts_with("memory:")) {
    return;
  }
  spool_drain_ = std::make_unique<SpoolDrain>(*log_, options_.paths.spool());
  if (const Result<void> started = spool_drain_->start(); !started) {
    diag_warning("the spool is not looked at: " + started.error().message());
    spool_drain_.reset();
  }
}

Result<void> Daemon::start_server(std::size_t connections_max) {
  net::ServerOptions server_options;
  server_options.listen = options_.listen;
  server_options.unix_path = options_.unix_path;
  server_options.net_threads = options_.net_threads;
  server_options.connections_max = connections_max;
  VIBES_TRY_ASSIGN(server, net::Server::listen(std::move(server_options)));
  server_ = std::move(server);
  sessions_->set_url(server_->url());
  services_ = std::make_unique<net::Services>(
      net::Services{*log_, broadcaster_, *websocket_consumer_, *groups_, *links_, *sessions_,
                    *transcripts_, *notifier_, budget_, server_->context().counts, system_clock(),
                    event::CheckOptions{options_.unknown_types}, VIBES_VERSION,
                    system_clock().steady_ns(), token_.has_value(), interventions_.get()});
  routes_ = std::make_unique<net::Routes>(*services_);
  routes_->add_to(server_->context().router);
  server_->context().token = token_ ? &*token_ : nullptr;
  server_->context().before_log_moved = [this] { (void)websocket_consumer_->pump(); };
  server_->context().after_input = [this] { log_->drive(); };
  return server_->start(*log_);
}

/// Accepts no more, lets what is in flight be answered, says goodbye, and closes the log last.
void Daemon::stop() {
  const auto sessions_until = std::chrono::steady_clock::now() + kSessionsStopWithin;
  sessions_->request_stop();
  server_->stop(kClientsStopWithin);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(sessions_until -
                                                                 std::chrono::steady_clock::now());
  if (!sessions_->stop(left)) {
    diag_warning("not every session's end could be recorded");
  }
  spool_drain_.reset();
  links_.reset();
  assessment_.reset();
  intervention_gatherer_.reset();
  session_collector_.reset();
  notifications_.reset();
  notifier_.reset();
  groups_.reset();
  if (const Result<void> closed = log_->close(); !closed) {
    diag_error("closing the log: " + closed.error().message());
  }
}

/// Waits for the signal to stop, feeding systemd's watchdog if there is one.
void wait_for_signal(const cli::SignalFd& signals) {
  const auto interval = watchdog_interval();
  const int timeout_ms = interval ? static_cast<int>(interval->count()) : -1;
  while (signals.take() == 0) {
    pollfd waiting{signals.fd(), POLLIN, 0};
    (void)::poll(&waiting, 1, timeout_ms);
    if (interval) {
      feed_watchdog();
    }
  }
}

/// While we stop: a second signal, or the end of our patience, ends the process at once.
class StopWatch {
 public:
  explicit StopWatch(const cli::SignalFd& signals)
      : done_(::eventfd(0, EFD_CLOEXEC)), thread_([this, &signals] { run(signals); }) {}
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  ~StopWatch() {
    const std::uint64_t one = 1;
    (void)!::write(done_.get(), &one, sizeof one);
  }

 private:
  void run(const cli::SignalFd& signals) const {
    std::array<pollfd, 2> waiting{{{done_.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
    const auto patience = std::chrono::milliseconds(limits::kStopWithin);
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(patience.count()));
    if (ready == 0) {
      diag_error("the stop took too long");
      ::_exit(cli::to_int(ExitCode::failure));
    }
    if (waiting[0].revents == 0) {
      cli::die_of(signals.take());
    }
  }

  UniqueFd done_;
  std::jthread thread_;
};

}  // namespace

ExitCode run_daemon(Options options, cli::Report& report) {
  const mode_t users_umask = prepare_process();
  start_diag();
  net::redirect_libwebsockets_log([](int, const char* line) { diag_warning(line); });
  const auto signals = cli::SignalFd::open({SIGTERM, SIGINT});
  if (!signals) {
    report.error(signals.error());
    return ExitCode::failure;
  }
  diag_info("vibes-server " VIBES_VERSION ", libwebsockets " + net::libwebsockets_version());
  const int ready_fd = options.ready_fd;
  Daemon daemon(std::move(options), users_umask);
  if (const Result<void> started = daemon.start(); !started) {
    report.error(started.error());
    if (const std::string_view hint = hint_for(started.error()); !hint.empty()) {
      report.hint(hint);
    }
    return exit_code_of(started.error());
  }
  announce_ready(daemon.url(), ready_fd);
  wait_for_signal(*signals);
  announce_stopping();
  const StopWatch watch(*signals);
  diag_info("stopping");
  daemon.stop();
  return ExitCode::ok;
}

}  // namespace vibes::server
