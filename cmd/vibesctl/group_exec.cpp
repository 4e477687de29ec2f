// SPDX-License-Identifier: MIT
#include "group_exec.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "child.hpp"
#include "event_printer.hpp"

namespace vibes::ctl {

Result<GroupExec::Outcome> GroupExec::handle(const client::TailEvent& event) {
  constexpr std::chrono::milliseconds kSendWithin{10'000};
  auto backoff = limits::kRetryFirst;
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
  VIBES_TRY_ASSIGN(child, Child::start(command_, event.event,
                                       {{"VIBES_EVENT_ID", std::string(event.event_id)},
                                        {"VIBES_OFFSET", std::to_string(event.offset.value())},
                                        {"VIBES_TYPE", owned.type},
                                        {"VIBES_SESSION_ID", owned.session},
                                        {"VIBES_ATTEMPT", std::to_string(number)}}));
  for (;;) {
    if (const auto status = child.poll()) {
      return status;
    }
    if (interrupts_.happened()) {
      return std::optional<int>();
    }
    // SIGCHLD ends this wait, also if it came just before.
    client_.service(client::kNever);
  }
}

bool GroupExec::pause(std::chrono::milliseconds duration) {
  const client::Deadline until = client::within(duration);
  while (client::left_until(until).count() > 0 && !interrupts_.happened()) {
    client_.service(until);
  }
  return !interrupts_.happened();
}

}  // namespace vibes::ctl
