// SPDX-License-Identifier: MIT
#include "consumers/notifications/command_runner.hpp"

#include <cstdint>
#include <mutex>
#include <sys/eventfd.h>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "base/child_process.hpp"

namespace vibes::consumers {
namespace {

ChildOptions::Environment environment_of(const Notification& n, unsigned attempt) {
  return {{"VIBES_EVENT_ID", to_string(n.event_id)},
          {"VIBES_OFFSET", std::to_string(n.offset.value())},
          {"VIBES_TYPE", n.type},
          {"VIBES_SESSION_ID", n.session_id},
          {"VIBES_ATTEMPT", std::to_string(attempt)},
          {"VIBES_TRIGGER", n.trigger},
          {"VIBES_TITLE", n.title},
          {"VIBES_BODY", n.body},
          {"VIBES_TAG", n.tag}};
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
  auto child = ChildProcess::start({.command = options_.command,
                                    .input = notification.payload,
                                    .environment = environment_of(notification, number),
                                    .out = ChildOptions::Output::discard});
  if (!child) {
    return child.error().message();
  }
  const ChildEnd end = child->wait({.within = options_.within, .stop_fd = stopping_.get()});
  if (end.kind == ChildEnd::Kind::stopped) {
    return std::nullopt;
  }
  return end.succeeded() ? "" : to_string(end);
}

}  // namespace vibes::consumers
