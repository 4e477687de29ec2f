// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "base/result.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "client/endpoint.hpp"

namespace CLI {
class App;
}

namespace vibes::ctl {

using cli::ExitCode;

/// What all verbs share: the options before or behind the verb, where to complain, and what was
/// chosen.
struct Session {
  cli::CommonOptions common;
  cli::Report& report;
  /// Set by the verb that the command line names; run once parsing is over.
  std::function<ExitCode()> chosen;
};

// Each adds its verb with its options; `session` must outlive `app`.
void add_append(CLI::App& app, Session& session);
void add_hook(CLI::App& app, Session& session);
void add_hooks(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_tail(CLI::App& app, Session& session);
void add_consumers(CLI::App& app, Session& session);
void add_log(CLI::App& app, Session& session);
void add_health(CLI::App& app, Session& session);
void add_notify(CLI::App& app, Session& session);
void add_sessions(CLI::App& app, Session& session);
void add_attach(CLI::App& app, Session& session);
void add_run(CLI::App& app, Session& session);

Result<client::Target> find_target(const Session& session);

/// The exit code for an error of any layer.
ExitCode exit_code_of(const Error& error);
/// Reports the error, with a hint where we know what helps, and returns its exit code.
ExitCode report_error(Session& session, const Error& error);
/// The same for verbs that send no events: what the server rejects there is what was typed.
ExitCode report_query_error(Session& session, const Error& error);

}  // namespace vibes::ctl
