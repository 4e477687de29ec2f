// SPDX-License-Identifier: MIT
#include "net/sessions_handler.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "net/session_messages.hpp"
#include "net/session_request.hpp"
#include "session/errc.hpp"

namespace vibes::net {

namespace {

using nlohmann::json;
using session::Errc;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::string dump(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

int status_of(const std::error_code& code) {
  if (code == Errc::session_not_found) {
    return 404;
  }
  if (code == Errc::session_exists || code == Errc::session_exited) {
    return 409;
  }
  if (code == Errc::too_many_sessions || code == Errc::busy) {
    return 429;
  }
  if (code == Errc::log_unavailable || code == Errc::stopping || code == Errc::spawn_failed) {
    return 503;
  }
  return code.category() == session::error_category() ? 400 : 500;
}

SessionsReply refusal(int status, std::string_view code, std::string_view message) {
  return {.status = status, .body = dump({{"error", {{"code", code}, {"message", message}}}})};
}

SessionsReply refusal(const Error& error) {
  return refusal(status_of(error.code), session::wire_code(error.code), error.message());
}

}  // namespace

SessionsReply list_sessions(const session::SessionRegistry& sessions) {
  std::string body = "{\"sessions\":[";
  for (const session::SessionInfo& session : sessions.list()) {
    if (body.back() == '}') {
      body += ',';
    }
    body += session_json(session, {});
  }
  return {.status = 200, .body = body + "]}"};
}

SessionsReply list_claude_sessions(const session::SessionRegistry& sessions) {
  json list = json::array();
  for (const session::SessionInfo& session : sessions.list()) {
    list.push_back(
        {{"id", session.id},
         {"name", session.name ? json(*session.name) : json()},
         {"state", session.state},
         {"created_at", format_rfc3339({.unix_us = session.created_at * kMicrosPerSecond})}});
  }
  return {.status = 200, .body = dump({{"sessions", std::move(list)}})};
}

void create_session(session::SessionRegistry& sessions, std::string_view body, SessionsDone done) {
  auto spec = parse_session_spec(body);
  if (!spec) {
    done(refusal(400, "bad_request", spec.error().context));
    return;
  }
  sessions.create(*std::move(spec),
                  [done = std::move(done)](const Result<session::SessionInfo>& made) {
                    done(made ? SessionsReply{.status = 201, .body = session_json(*made, {})}
                              : refusal(made.error()));
                  });
}

void delete_session(session::SessionRegistry& sessions, std::string_view id, SessionsDone done) {
  sessions.kill(std::string(id), [done = std::move(done)](const Result<void>& killed) {
    done(killed ? SessionsReply{.status = 204, .body = {}} : refusal(killed.error()));
  });
}

}  // namespace vibes::net
