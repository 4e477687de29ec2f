// SPDX-License-Identifier: MIT
#include "session/session_registry.hpp"

#include <algorithm>
#include <csignal>
#include <sys/epoll.h>
#include <thread>
#include <utility>

#include "session/command_queue.hpp"
#include "session/event_outbox.hpp"
#include "session/session_events.hpp"
#include "session/session_loop.hpp"
#include "session/session_table.hpp"

namespace vibes::session {

namespace {

RegistryOptions completed(RegistryOptions options) {
  if (options.environment.empty()) {
    options.environment = process_environment();
  }
  options.environment = without_daemon_variables(std::move(options.environment));
  if (options.cwd.empty()) {
    const std::string_view home = environment_value(options.environment, "HOME");
    options.cwd = home.starts_with('/') ? std::filesystem::path(home) : "/";
  }
  return options;
}

std::size_t bytes_of(const SessionSpec& spec) {
  std::size_t bytes = spec.id.size() + spec.name.value_or("").size() + spec.cwd.value_or("").size();
  for (const std::string& argument : spec.command) {
    bytes += argument.size();
  }
  return bytes;
}

}  // namespace

class SessionRegistry::Impl {
 public:
  Impl(eventlog::EventLog& log, RegistryOptions options, std::shared_ptr<CommandQueue> commands,
       UniqueFd epoll)
      : clock_(options.clock != nullptr ? *options.clock : system_clock()),
        commands_(std::move(commands)),
        outbox_(log, clock_, [queue = commands_] { queue->nudge(); }),
        loop_(completed(std::move(options)), clock_, commands_, outbox_, table_, std::move(epoll)) {
    start_thread();
  }

  /// Leaves `work` for the session thread and its result for `done`.
  template <class T, class Work>
  void post(std::size_t bytes, std::function<void(Result<T>)> done, Work work) {
    commands_->push(bytes, [this, done = std::move(done),
                            work = std::move(work)](const std::optional<Error>& refused) mutable {
      if (refused) {
        done(fail(*refused));
      } else {
        done(work(loop_));
      }
    });
  }
  template <class Work>
  void tell(Work work) {
    commands_->push(0, [this, work = std::move(work)](const std::optional<Error>& refused) mutable {
      if (!refused) {
        work(loop_);
      }
    });
  }

  bool stop(std::chrono::milliseconds timeout);

  const Clock& clock_;
  std::shared_ptr<CommandQueue> commands_;  // shared with the streams of sessions
  EventOutbox outbox_;
  SessionTable table_;
  SessionLoop loop_;

 private:
  void start_thread();

  Mutex stop_mutex_;
  std::optional<bool> stopped_ VIBES_GUARDED_BY(stop_mutex_);
  std::jthread thread_;
};

void SessionRegistry::Impl::start_thread() {
  // The process's signals are for its main thread; new threads inherit the mask of the one that
  // starts them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::jthread([this] { loop_.run(); });
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool SessionRegistry::Impl::stop(std::chrono::milliseconds timeout) {
  const MutexLock lock(stop_mutex_);
  if (stopped_) {
    return *stopped_;
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto left = [&] {
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::duration_cast<std::chrono::milliseconds>(
                        deadline - std::chrono::steady_clock::now()));
  };
  loop_.request_stop();
  if (!loop_.wait_until_stopped(left())) {
    loop_.request_abandon();
    (void)loop_.wait_until_stopped(std::chrono::milliseconds(500));
  }
  // Events get a moment of their own even where the processes used up the time.
  stopped_ = outbox_.drain(std::max(left(), std::chrono::milliseconds(500)));
  loop_.request_quit();
  commands_->close();
  thread_.join();
  outbox_.settle_all();
  return *stopped_;
}

Result<std::unique_ptr<SessionRegistry>> SessionRegistry::start(eventlog::EventLog& log,
                                                                RegistryOptions options) {
  VIBES_TRY_ASSIGN(commands, CommandQueue::make());
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    return fail_errno("epoll_create1");
  }
  auto impl =
      std::make_unique<Impl>(log, std::move(options), std::move(commands), std::move(epoll));
  return std::unique_ptr<SessionRegistry>(new SessionRegistry(std::move(impl)));
}

SessionRegistry::SessionRegistry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SessionRegistry::~SessionRegistry() { (void)stop(); }

void SessionRegistry::set_url(std::string url) {
  impl_->tell([url = std::move(url)](SessionLoop& loop) { loop.set_url(url); });
}

void SessionRegistry::create(SessionSpec spec, Created done) {
  const std::size_t bytes = bytes_of(spec);
  impl_->commands_->push(bytes, [impl = impl_.get(), spec = std::move(spec),
                                 done = std::move(done)](const std::optional<Error>& refused) {
    if (refused) {
      done(fail(*refused));
    } else {
      impl->loop_.create(spec, done);
    }
  });
}

void SessionRegistry::attach(SessionSpec spec, Attachment::Wake wake, Attached done,
                             std::function<void()> recorded) {
  const std::size_t bytes = bytes_of(spec);
  impl_->commands_->push(bytes, [impl = impl_.get(), spec = std::move(spec), wake = std::move(wake),
                                 done = std::move(done), recorded = std::move(recorded)](
                                    const std::optional<Error>& refused) {
    if (refused) {
      done(fail(*refused));
    } else {
      impl->loop_.attach(spec, wake, done, recorded);
    }
  });
}

void SessionRegistry::input(std::string id, std::string bytes, Done done) {
  if (bytes.size() > limits::kPtyInputBytesMax) {
    done(fail(Errc::input_too_large, {}));
    return;
  }
  const std::size_t size = bytes.size();
  impl_->commands_->push(size, [impl = impl_.get(), id = std::move(id), bytes = std::move(bytes),
                                done = std::move(done)](const std::optional<Error>& refused) {
    if (refused) {
      done(fail(*refused));
    } else {
      impl->loop_.input(id, bytes, done);
    }
  });
}

void SessionRegistry::resize(std::string id, unsigned cols, unsigned rows, Done done) {
  impl_->post<void>(0, std::move(done), [id = std::move(id), cols, rows](SessionLoop& loop) {
    return loop.resize(id, {.cols = cols, .rows = rows});
  });
}

void SessionRegistry::kill(std::string id, Done done) {
  impl_->commands_->push(0, [impl = impl_.get(), id = std::move(id),
                             done = std::move(done)](const std::optional<Error>& refused) {
    if (refused) {
      done(fail(*refused));
    } else {
      impl->loop_.kill(id, done);
    }
  });
}

void SessionRegistry::flush(std::function<void()> done) {
  impl_->commands_->push(
      0, [done = std::move(done)](const std::optional<Error>& /*refused*/) { done(); });
}

std::vector<SessionInfo> SessionRegistry::list() const { return impl_->table_.list(); }

std::optional<SessionInfo> SessionRegistry::find(std::string_view id) const {
  const auto entry = impl_->table_.find(id);
  return entry ? std::optional(SessionTable::info(*entry)) : std::nullopt;
}

RegistryHealth SessionRegistry::health() const {
  EventOutbox::Health outbox = impl_->outbox_.health();
  return {.running = impl_->table_.running(),
          .pending_events = outbox.pending,
          .lost_events = outbox.lost,
          .problem = std::move(outbox.problem)};
}

void SessionRegistry::client_connected(std::string_view client_id) {
  impl_->outbox_.push_unreserved(client_connected_event(client_id));
}

void SessionRegistry::client_disconnected(std::string_view client_id) {
  impl_->outbox_.push_unreserved(client_disconnected_event(client_id));
}

void SessionRegistry::request_stop() { impl_->loop_.request_stop(); }

bool SessionRegistry::stop(std::chrono::milliseconds timeout) { return impl_->stop(timeout); }

}  // namespace vibes::session
