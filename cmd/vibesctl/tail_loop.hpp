// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "client/tail_client.hpp"
#include "cursor_file.hpp"
#include "event_printer.hpp"
#include "group_exec.hpp"
#include "tail_options.hpp"
#include "tail_plan.hpp"

namespace vibes::ctl {

/// The life of one `vibesctl tail`: takes messages, prints or executes, keeps the cursor or
/// commits, and knows when to stop. An event counts as done when stdout has taken its line (or its
/// command has succeeded); only then does the cursor or the commit move past it.
class TailLoop {
 public:
  /// All references are borrowed.
  TailLoop(Session& session, const TailOptions& options, const TailPlan& plan,
           client::TailClient& client, const cli::Interrupts& interrupts, EventPrinter printer);

  ExitCode run();

 private:
  /// Sets `stop_` when it is time to.
  void step();
  void on_error(const Error& error);
  void on(const client::Hello& hello);
  void on(const client::Events& events);
  void on(const client::PositionReport& position);
  void on(const client::GapReport& gap);
  void on(const client::Committed& committed);
  void on(const client::Assigned& assigned);
  void on(const client::Ended& ended);
  void on(const client::Lost& lost);

  void print(std::span<const client::TailEvent> events);
  void execute(std::span<const client::TailEvent> events);
  void done_up_to(const client::TailEvent& event);
  void stop_if_at_end(Offset next);
  void stop(ExitCode code) { stop_ = code; }
  void finish();
  void await_commit();
  void save_cursor(const std::string& cursor);
  void say_ready();
  [[nodiscard]] client::Deadline next_deadline() const;
  [[nodiscard]] bool is_group() const { return options_.group.has_value(); }

  Session& session_;
  const TailOptions& options_;
  const TailPlan& plan_;
  client::TailClient& client_;
  const cli::Interrupts& interrupts_;
  EventPrinter printer_;
  cli::Output output_;
  std::optional<CursorFile> cursor_file_;
  std::optional<GroupExec> exec_;

  std::optional<ExitCode> stop_;
  client::Deadline timeout_at_ = client::kNever;
  client::Deadline idle_at_ = client::kNever;
  std::uint64_t left_ = 0;  // of --count
  bool ready_said_ = false;
  bool lost_said_ = false;
  bool saw_gap_ = false;
  std::optional<Offset> end_;      // with stop_at_end: where
  std::string cursor_;             // behind everything done
  std::optional<Offset> done_;     // groups: the next offset to do
  bool shared_ = false;            // groups: with other members, so that offsets may go back
  std::uint64_t answers_due_ = 0;  // groups: one for each commit, once it is durable
};

}  // namespace vibes::ctl
