// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "tail_loop.hpp"
#include "tail_options.hpp"
#include "tail_plan.hpp"

namespace vibes::ctl {
namespace {

cli::LineStyle style_for_stdout(const Session& session) {
  cli::LineStyle style;
  style.color = cli::wants_color(session.common.color, STDOUT_FILENO);
  style.escape = cli::is_terminal(STDOUT_FILENO);
  style.columns = cli::terminal_columns(STDOUT_FILENO);
  return style;
}

}  // namespace

ExitCode run_tail(Session& session, const TailOptions& options) {
  auto printer = EventPrinter::make(options.output, options.format, style_for_stdout(session));
  if (!printer) {
    return report_query_error(session, printer.error());
  }
  auto plan = plan_tail(session, options);
  if (!plan) {
    return report_query_error(session, plan.error());
  }
  int deadly_signal = 0;
  ExitCode code = ExitCode::failure;
  {
    client::TailClient client(plan->target, plan->client);
    auto interrupts = cli::Interrupts::start([&client] { client.wake(); });
    if (!interrupts) {
      return report_query_error(session, interrupts.error());
    }
    TailLoop loop(session, options, *plan, client, **interrupts, *std::move(printer));
    code = loop.run();
    deadly_signal = (*interrupts)->signal();
  }
  if (deadly_signal != 0) {
    cli::die_of(deadly_signal);
  }
  return code;
}

}  // namespace vibes::ctl
