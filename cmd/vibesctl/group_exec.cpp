// SPDX-License-Identifier: MIT
#include "group_exec.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/child_process.hpp"
#include "base/limits.hpp"
#include "client/errc.hpp"
#include "event_printer.hpp"

namespace vibes::ctl {
namespace {

constexpr std::chrono::milliseconds kSendWithin{10'000};
// A third of the lease that it renews.
constexpr std::chrono::milliseconds kWorkingEvery = limits::kLeaseFor / 3;

}  // namespace

Result<GroupExec::Outcome> GroupExec::handle(const client::TailEvent& event) {
  auto backoff = limits::kRetryFirst;
  say_working_at_ = client::within(kWorkingEvery);
  std::string reason;
  for (unsigned number = 1; number <= limits::kDeliveryAttemptsMax; ++number) {
    VIBES_TRY_ASSIGN(status, attempt(event, number));
    if (!status) {
      return Outcome::interrupted;
    }
    if (*status == 0) {
      return Outcome::done;
    }
    reason = fmt::format("exit status {}", *status);
    if (number < limits::kDeliveryAttemptsMax) {
      report_.note(fmt::format("event {}: {}, attempt {} of {}", event.offset.value(), reason,
                               number, limits::kDeliveryAttemptsMax));
      if (!pause(backoff)) {
        return Outcome::interrupted;
      }
      backoff = std::min(backoff * 2, limits::kRetryLast);
    }
  }
  report_.warning(fmt::format("event {}: {} after {} attempts, moved to the dead letters",
                              event.offset.value(), reason, limits::kDeliveryAttemptsMax));
  VIBES_TRY(client_.reject(event.offset, reason, limits::kDeliveryAttemptsMax,
                           client::within(kSendWithin)));
  return Outcome::rejected;
}

Result<std::optional<int>> GroupExec::attempt(const client::TailEvent& event, unsigned number) {
  OwnedView owned;
  complete(event, owned);
  // In our group, so that a terminal's ^C reaches it as it reaches us.
  VIBES_TRY_ASSIGN(
      child,
      ChildProcess::start({.command = command_,
                           .input = event.event,
                           .environment = {{"VIBES_EVENT_ID", std::string(event.event_id)},
                                           {"VIBES_OFFSET", std::to_string(event.offset.value())},
                                           {"VIBES_TYPE", owned.type},
                                           {"VIBES_SESSION_ID", owned.session},
                                           {"VIBES_ATTEMPT", std::to_string(number)}},
                           .group = ChildOptions::Group::ours}));
  for (;;) {
    if (const auto status = child.poll()) {
      return status;
    }
    if (interrupts_.happened()) {
      return std::optional<int>();
    }
    // SIGCHLD ends this wait, also if it came just before.
    VIBES_TRY(live_on(client::kNever));
  }
}

Result<void> GroupExec::live_on(client::Deadline until) {
  client_.service(std::min(until, say_working_at_));
  if (client::left_until(say_working_at_).count() > 0) {
    return {};
  }
  say_working_at_ = client::within(kWorkingEvery);
  const auto said = client_.working(client::within(kSendWithin));
  const bool woken = !said && said.error().code == client::make_error_code(client::Errc::woken);
  return woken ? Result<void>() : said;
}

bool GroupExec::pause(std::chrono::milliseconds duration) {
  const client::Deadline until = client::within(duration);
  while (client::left_until(until).count() > 0 && !interrupts_.happened()) {
    if (!live_on(until)) {
      return false;
    }
  }
  return !interrupts_.happened();
}

}  // namespace vibes::ctl
