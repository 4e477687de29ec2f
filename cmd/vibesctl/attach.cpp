// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "attach_loop.hpp"
#include "base/uuid.hpp"
#include "client/errc.hpp"
#include "session_place.hpp"
#include "verb.hpp"

namespace vibes::ctl {
namespace {

struct AttachOptions {
  std::vector<std::string> words;  // the session's id, or the command of a new one
  std::string name;
  std::string cwd;
  bool is_new = false;
};

/// A session that shows itself would never stop.
bool is_own_session(const std::string& id) { return id == own_session(); }

Result<client::AttachRequest> request_of(const AttachOptions& options,
                                         const client::Target& target) {
  client::AttachRequest request;
  if (options.is_new) {
    request.id = to_string(random_uuid());
    request.if_missing = client::AttachRequest::IfMissing::create;
    request.name = options.name;
    request.command = options.words;
    request.parent = own_session();
    VIBES_TRY_ASSIGN(cwd, session_cwd(options.cwd, target));
    request.cwd = std::move(cwd);
  } else {
    request.id = options.words.front();
    if (is_own_session(request.id)) {
      return fail(std::make_error_code(std::errc::invalid_argument),
                  "this terminal is in session " + request.id + " itself");
    }
  }
  request.size = window_size();
  return request;
}

ExitCode run_attached(Session& session, const client::Target& target,
                      client::AttachRequest request) {
  auto waker = std::make_shared<client::Waker>();
  std::unique_ptr<cli::RawTerminal> raw;  // outlives the thread that may have to restore it
  std::atomic<const cli::RawTerminal*> raw_now = nullptr;
  auto events = cli::TerminalEvents::start({.on_change = [waker] { waker->wake(); },
                                            .on_stuck =
                                                [&raw_now](int signal) {
                                                  if (const auto* terminal = raw_now.load()) {
                                                    terminal->restore();
                                                  }
                                                  cli::die_of(signal);
                                                }});
  if (!events) {
    return report_query_error(session, events.error());
  }
  if (cli::is_terminal(STDIN_FILENO)) {
    auto entered = cli::RawTerminal::enter(STDIN_FILENO);
    if (!entered) {
      return report_query_error(session, entered.error());
    }
    raw = *std::move(entered);
    raw_now = raw.get();
  }
  const ExitCode code =
      AttachLoop(session, target, std::move(request),
                 {**events, raw.get(), cli::is_terminal(STDOUT_FILENO)}, std::move(waker))
          .run();
  const int signal = (*events)->deadly_signal();
  (*events).reset();
  raw.reset();
  if (signal != 0) {
    cli::die_of(signal);
  }
  return code;
}

ExitCode attach(Session& session, const AttachOptions& options) {
  if (!options.is_new && options.words.size() != 1) {
    session.report.error(options.words.empty() ? "attach needs the ID of a session"
                                               : "attach takes one ID");
    session.report.hint("'vibesctl sessions' lists them; --new makes one");
    return ExitCode::usage;
  }
  const auto target = find_target(session);
  if (!target) {
    return report_query_error(session, target.error());
  }
  auto request = request_of(options, *target);
  return request ? run_attached(session, *target, *std::move(request))
                 : report_query_error(session, request.error());
}

void add_new_session_options(CLI::App& verb, AttachOptions& options) {
  verb.add_option("--name", options.name, "A name for the new session")->type_name("NAME");
  verb.add_option("--cwd", options.cwd, "Where the new session starts [here]")->type_name("DIR");
}

}  // namespace

void add_attach(CLI::App& app, Session& session) {
  auto options = std::make_shared<AttachOptions>();
  CLI::App* verb = app.add_subcommand("attach", "Be the terminal of a session");
  verb->fallthrough();
  verb->add_option("WORDS", options->words, "ID of the session, or with --new the command")
      ->type_name("ID | CMD");
  verb->add_flag("--new", options->is_new, "Make a session that runs CMD, or the server's choice");
  add_new_session_options(*verb, *options);
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return attach(session, *options); };
  });
  verb->footer(
      "ctrl-\\ d leaves the session, which goes on; ctrl-\\ twice types ctrl-\\.\n\n"
      "Examples:\n"
      "  vibesctl attach 7c9e6679-7425-40de-944b-e07fc1f90ae7\n"
      "  vibesctl attach --new --name build -- make -j4\n\n"
      "Exit status: that of the session's program, 128 and the signal's number where one ended "
      "it;\n"
      "129 (SIGHUP) where the session was killed, 0 after ctrl-\\ d, 5 no such session, 9 it has "
      "ended.");
}

void add_run(CLI::App& app, Session& session) {
  auto options = std::make_shared<AttachOptions>();
  options->is_new = true;
  CLI::App* verb = app.add_subcommand("run", "Run a command in a new session and attach to it");
  verb->fallthrough();
  verb->add_option("CMD", options->words, "The command and its arguments, behind --")->required();
  add_new_session_options(*verb, *options);
  verb->final_callback([&session, options] {
    session.chosen = [&session, options] { return attach(session, *options); };
  });
  verb->footer(
      "The same as vibesctl attach --new -- CMD.\n\n"
      "Examples:\n"
      "  vibesctl run -- claude --continue\n"
      "  vibesctl run --name tests -- make test; echo $?");
}

}  // namespace vibes::ctl
