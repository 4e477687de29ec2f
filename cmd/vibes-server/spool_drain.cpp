// SPDX-License-Identifier: MIT
#include "spool_drain.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/paths.hpp"
#include "client/errc.hpp"
#include "diag.hpp"
#include "event/errc.hpp"
#include "hooks/hook_event.hpp"

namespace vibes::server {

namespace {

using eventlog::AppendReceipt;
using std::chrono::milliseconds;

constexpr std::size_t kBatchBytes = 512 * limits::kKiB;
// For a client that is draining at this moment.
constexpr milliseconds kLockWithin{1'000};

Result<AppendReceipt> append_and_wait(eventlog::EventLog& log, std::vector<event::NewEvent> batch) {
  std::promise<Result<AppendReceipt>> answer;
  auto answered = answer.get_future();
  VIBES_TRY(log.append(std::move(batch), [&answer](Result<AppendReceipt> receipt) {
    answer.set_value(std::move(receipt));
  }));
  return answered.get();
}

/// Whether the log refuses events for what they are, and would for ever.
bool is_about_the_events(const std::error_code& code) {
  return code == eventlog::Errc::event_id_conflict || code == eventlog::Errc::batch_too_large ||
         code.category() == event::error_category();
}

Result<UniqueFd> watch_directory(const std::filesystem::path& directory) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd || ::inotify_add_watch(fd.get(), directory.c_str(), IN_CLOSE_WRITE) < 0) {
    return fail_errno("cannot watch " + directory.string());
  }
  return fd;
}

void take_changes(int fd) {
  std::array<char, 4 * limits::kKiB> events{};
  while (::read(fd, events.data(), events.size()) > 0) {
  }
}

}  // namespace

SpoolDrain::SpoolDrain(eventlog::EventLog& log, std::filesystem::path directory)
    : log_(log), directory_(std::move(directory)), spool_(directory_) {}

SpoolDrain::~SpoolDrain() {
  if (thread_.joinable()) {
    thread_.request_stop();
    const std::uint64_t one = 1;
    (void)!::write(stop_event_.get(), &one, sizeof one);
  }
}

Result<void> SpoolDrain::start() {
  VIBES_TRY(make_private_directory(directory_));
  VIBES_TRY_ASSIGN(changes, watch_directory(directory_));
  changes_ = std::move(changes);
  stop_event_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!stop_event_) {
    return fail_errno("eventfd");
  }
  if (const Result<void> drained = drain(); !drained) {
    diag_warning("the spool stays for now: " + drained.error().message());
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  return {};
}

/// After a failure the next look comes by itself, later each time.
void SpoolDrain::watch(const std::stop_token& stop) {
  milliseconds pause = limits::kRetryFirst;
  while (!stop.stop_requested()) {
    const Result<void> drained = drain();
    pause = drained ? limits::kRetryFirst : std::min(pause * 2, limits::kRetryLast);
    std::array<pollfd, 2> waiting{{{stop_event_.get(), POLLIN, 0}, {changes_.get(), POLLIN, 0}}};
    (void)::poll(waiting.data(), waiting.size(), drained ? -1 : static_cast<int>(pause.count()));
    take_changes(changes_.get());
  }
}

Result<void> SpoolDrain::drain() {
  VIBES_TRY_ASSIGN(count, spool_.drain(kBatchBytes, client::within(kLockWithin),
                                       [this](auto batch) { return deliver(batch); }));
  if (count > 0) {
    diag_info("events brought in from the spool: " + std::to_string(count));
  }
  return {};
}

Result<void> SpoolDrain::deliver(std::span<const event::NewEvent> batch) {
  // What is pending is on the log's own disk now, and no longer ours to keep.
  const auto appended = append_and_wait(log_, {batch.begin(), batch.end()});
  if (appended) {
    return {};
  }
  if (!is_about_the_events(appended.error().code)) {
    return fail(appended.error());
  }
  for (const event::NewEvent& event : batch) {
    VIBES_TRY(deliver_one(event));
  }
  return {};
}

Result<void> SpoolDrain::deliver_one(event::NewEvent event) {
  auto appended = append_and_wait(log_, {event});
  if (!appended && appended.error().code == eventlog::Errc::event_id_conflict &&
      event.type == "hook") {
    event.event_id = hooks::id_by_content(event);
    appended = append_and_wait(log_, {event});
  }
  if (appended) {
    return {};
  }
  if (!is_about_the_events(appended.error().code)) {
    return fail(appended.error());
  }
  diag_warning("an event of the spool is refused: " + appended.error().message());
  return spool_.set_aside(event, appended.error().message());
}

}  // namespace vibes::server
