// SPDX-License-Identifier: MIT
#include "consumers/notifications/command_runner.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include "base/result.hpp"

namespace vibes::consumers {
namespace {

/// Unlike a pipe a file takes any size, and nobody must feed it.
Result<UniqueFd> as_file(std::string_view input) {
  UniqueFd fd(::memfd_create("vibes-event", MFD_CLOEXEC));
  if (!fd) {
    return fail_errno("memfd_create");
  }
  while (!input.empty()) {
    const ssize_t written = ::write(fd.get(), input.data(), input.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("cannot pass the event on");
    }
    input.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  (void)::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::vector<std::string> environment_of(const Notification& n, unsigned attempt) {
  std::vector<std::string> entries = {"VIBES_EVENT_ID=" + to_string(n.event_id),
                                      "VIBES_OFFSET=" + std::to_string(n.offset.value()),
                                      "VIBES_TYPE=" + n.type,
                                      "VIBES_SESSION_ID=" + n.session_id,
                                      "VIBES_ATTEMPT=" + std::to_string(attempt),
                                      "VIBES_TRIGGER=" + n.trigger,
                                      "VIBES_TITLE=" + n.title,
                                      "VIBES_BODY=" + n.body,
                                      "VIBES_TAG=" + n.tag};
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

/// In a process group of its own, with every signal as a fresh program expects it.
class SpawnSetup {
 public:
  explicit SpawnSetup(int input) {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    (void)::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    (void)::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)::posix_spawnattr_setsigmask(&attributes_, &signals);
    (void)sigfillset(&signals);
    (void)::posix_spawnattr_setsigdefault(&attributes_, &signals);
    (void)::posix_spawnattr_setpgroup(&attributes_, 0);
    (void)::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t> spawn(std::string command, std::vector<std::string> environment) {
    std::array<std::string, 3> words = {"sh", "-c", std::move(command)};
    std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    std::vector<char*> variables;
    variables.reserve(environment.size() + 1);
    for (std::string& entry : environment) {
      variables.push_back(entry.data());
    }
    variables.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, "/bin/sh", &actions_, &attributes_, arguments.data(), variables.data());
    if (error != 0) {
      return fail_errno(error, "/bin/sh");
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string ending_of(int status) {
  if (WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    return code == 0 ? "" : "exit status " + std::to_string(code);
  }
  return "killed by signal " + std::to_string(WTERMSIG(status));
}

}  // namespace

CommandRunner::CommandRunner(CommandOptions options)
    : options_(std::move(options)),
      stopping_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

CommandRunner::~CommandRunner() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  (void)!::write(stopping_.get(), &one, sizeof one);
  { const MutexLock lock(mutex_); }
  changed_.notify_all();
}

void CommandRunner::run(const Notification& notification, DeliveryDone done) {
  {
    MutexLock lock(mutex_);
    if (jobs_.size() < limits::kNotificationsPerEndpoint) {
      jobs_.push_back({notification, std::move(done)});
      lock.unlock();
      changed_.notify_one();
      return;
    }
  }
  done({Delivered::Kind::crowded, 0, "too much waits for the command"});
}

void CommandRunner::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (jobs_.empty() && !stop.stop_requested()) {
        changed_.wait(lock);
      }
      if (stop.stop_requested()) {
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    if (const auto delivered = attempt_all(job.notification, stop)) {
      job.done(*delivered);
    }
  }
}

std::optional<Delivered> CommandRunner::attempt_all(const Notification& notification,
                                                    const std::stop_token& stop) {
  std::chrono::milliseconds pause = options_.retry_first;
  for (unsigned number = 1;; ++number) {
    auto failed = attempt(notification, number);
    if (!failed || stop.stop_requested()) {
      return std::nullopt;
    }
    if (failed->empty()) {
      return Delivered{Delivered::Kind::sent, number, "exit status 0"};
    }
    if (number == limits::kNotificationAttemptsMax) {
      return Delivered{Delivered::Kind::given_up, number, *std::move(failed)};
    }
    pollfd waiting{stopping_.get(), POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>(pause.count()));
    pause *= 2;
  }
}

std::optional<std::string> CommandRunner::attempt(const Notification& notification,
                                                  unsigned number) {
  const auto input = as_file(notification.payload);
  if (!input) {
    return input.error().message();
  }
  SpawnSetup setup(input->get());
  const auto pid = setup.spawn(options_.command, environment_of(notification, number));
  return pid ? wait_for(*pid) : pid.error().message();
}

std::optional<std::string> CommandRunner::wait_for(int pid) const {
  const UniqueFd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::array<pollfd, 2> waiting{{{child.get(), POLLIN, 0}, {stopping_.get(), POLLIN, 0}}};
  const int ready =
      ::poll(waiting.data(), waiting.size(), static_cast<int>(options_.within.count()));
  const bool ended = ready > 0 && waiting[0].revents != 0;
  if (!ended) {
    (void)::kill(-pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (ready > 0 && !ended) {
    return std::nullopt;
  }
  return ended ? ending_of(status) : "took too long and was killed";
}

}  // namespace vibes::consumers
