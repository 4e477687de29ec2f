// SPDX-License-Identifier: MIT
#include "verb.hpp"

#include "client/errc.hpp"
#include "event/errc.hpp"
#include "eventlog/errc.hpp"

namespace vibes::ctl {
namespace {

ExitCode of_client(client::Errc code) {
  using client::Errc;
  switch (code) {
    case Errc::bad_url:
      return ExitCode::usage;
    case Errc::bad_token:
    case Errc::unauthorized:
      return ExitCode::authentication;
    case Errc::cannot_connect:
    case Errc::connection_lost:
      return ExitCode::cannot_connect;
    case Errc::timed_out:
      return ExitCode::timeout;
    case Errc::not_found:
      return ExitCode::not_found;
    case Errc::conflict:
      return ExitCode::conflict;
    case Errc::rejected:
      return ExitCode::event_rejected;
    case Errc::cursor_unusable:
      return ExitCode::gap;
    case Errc::queue_full:
    case Errc::disk_full:
    case Errc::spool_full:
      return ExitCode::full;
    case Errc::woken:
    case Errc::closed:
    case Errc::unavailable:
    case Errc::bad_answer:
      return ExitCode::failure;
  }
  return ExitCode::failure;
}

ExitCode of_eventlog(eventlog::Errc code) {
  switch (code) {
    case eventlog::Errc::corrupt:
      return ExitCode::damaged;
    case eventlog::Errc::locked:
      return ExitCode::already_running;
    case eventlog::Errc::not_found:
    case eventlog::Errc::out_of_range:
      return ExitCode::not_found;
    case eventlog::Errc::storage_full:
      return ExitCode::full;
    case eventlog::Errc::bad_url:
      return ExitCode::usage;
    case eventlog::Errc::unreachable:
      return ExitCode::cannot_connect;
    case eventlog::Errc::unauthorized:
      return ExitCode::authentication;
    case eventlog::Errc::other_settings:
    case eventlog::Errc::event_id_conflict:
      return ExitCode::conflict;
    default:
      return ExitCode::failure;
  }
}

const char* hint_for(const Error& error) {
  if (error.code == client::make_error_code(client::Errc::cannot_connect)) {
    return "is vibes-server running? 'vibes-server' starts it; --url or $VIBES_URL name another";
  }
  if (error.code == client::make_error_code(client::Errc::unauthorized)) {
    return "the token is in a file of the server's runtime folder; give it with --token-file or "
           "$VIBES_TOKEN_FILE";
  }
  if (error.code == client::make_error_code(client::Errc::cursor_unusable)) {
    return "the log was reset or cut since; remove the cursor and start with --from beginning or "
           "-n 10";
  }
  return nullptr;
}

}  // namespace

Result<client::Target> find_target(const Session& session) {
  std::optional<std::filesystem::path> token_file;
  if (session.common.token_file) {
    token_file = *session.common.token_file;
  }
  return client::find_target(session.common.url, token_file);
}

ExitCode exit_code_of(const Error& error) {
  if (error.code.category() == client::error_category()) {
    return of_client(static_cast<client::Errc>(error.code.value()));
  }
  if (error.code.category() == eventlog::error_category()) {
    return of_eventlog(static_cast<eventlog::Errc>(error.code.value()));
  }
  if (error.code.category() == event::error_category()) {
    return error.code == event::make_error_code(event::Errc::cursor_mismatch)
               ? ExitCode::gap
               : ExitCode::event_rejected;
  }
  if (error.code == std::errc::invalid_argument) {
    return ExitCode::usage;
  }
  return error.code.category() == std::system_category() ? ExitCode::io_error : ExitCode::failure;
}

ExitCode report_error(Session& session, const Error& error) {
  session.report.error(error);
  if (const char* hint = hint_for(error)) {
    session.report.hint(hint);
  }
  return exit_code_of(error);
}

ExitCode report_query_error(Session& session, const Error& error) {
  const ExitCode code = report_error(session, error);
  return error.code == client::make_error_code(client::Errc::rejected) ? ExitCode::usage : code;
}

}  // namespace vibes::ctl
