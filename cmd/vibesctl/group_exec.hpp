// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/report.hpp"
#include "cli/signals.hpp"
#include "client/tail_client.hpp"

namespace vibes::ctl {

/// Runs the command of `tail --exec` for an event until it succeeds: with backoff from
/// limits::kRetryFirst to kRetryLast, at most limits::kDeliveryAttemptsMax times, then the event
/// goes to the group's dead letters. The connection lives on meanwhile.
class GroupExec {
 public:
  enum class Outcome : unsigned char { done, rejected, interrupted };

  /// References are borrowed.
  GroupExec(std::string command, client::TailClient& client, const cli::Interrupts& interrupts,
            cli::Report& report)
      : command_(std::move(command)), client_(client), interrupts_(interrupts), report_(report) {}

  Result<Outcome> handle(const client::TailEvent& event);

 private:
  /// The exit status, nothing if interrupted.
  Result<std::optional<int>> attempt(const client::TailEvent& event, unsigned number);
  /// Waits, and says to the server now and then that it still works.
  Result<void> live_on(client::Deadline until);
  /// False if interrupted.
  bool pause(std::chrono::milliseconds duration);

  std::string command_;
  client::TailClient& client_;
  const cli::Interrupts& interrupts_;
  cli::Report& report_;
  client::Deadline say_working_at_{};
};

}  // namespace vibes::ctl
