// SPDX-License-Identifier: MIT
#include "net/health_handler.hpp"

#include <iterator>

#include <fmt/format.h>

#include "event/codec.hpp"
#include "net/server.hpp"

namespace vibes::net {

namespace {

using State = eventlog::LogStatus::State;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string_view to_string(State state) {
  switch (state) {
    case State::writable:
      return "writable";
    case State::full:
      return "full";
    case State::failed:
      return "failed";
    case State::closed:
      return "closed";
    case State::read_only:
      return "read_only";
    case State::away:
      return "away";
  }
  return "";
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out), R"("{}":)", name);
  event::append_json_string(out, value);
}

void append_log(std::string& out, const eventlog::EventLog& log,
                const eventlog::LogStatus& status) {
  out += R"("log":{)";
  append_member(out, "id", to_string(log.log_id()));
  out += ',';
  append_member(out, "url", status.url);
  out += ',';
  append_member(out, "state", to_string(status.state));
  out += ',';
  append_member(out, "reason", status.reason);
  fmt::format_to(std::back_inserter(out), R"(,"first":{},"end":{},"durability":"{}",)",
                 log.first().value(), log.end().value(), status.durability_text());
  fmt::format_to(std::back_inserter(out), R"("bytes":{},"segments":{},"queued_bytes":{},)",
                 status.bytes, status.segments, status.queued_bytes);
  fmt::format_to(std::back_inserter(out),
                 R"("pending_events":{},"refused_events":{},"foreign_messages":{},)",
                 status.pending_events, status.refused_events, status.foreign_messages);
  append_member(out, "recovery", status.recovery);
  out += '}';
}

std::string_view overall(const eventlog::LogStatus& status,
                         const std::vector<consumers::GroupStatus>& groups,
                         const session::RegistryHealth& sessions) {
  if (status.state == State::failed || status.state == State::closed) {
    return "failing";
  }
  bool well = status.state == State::writable && sessions.problem.empty();
  for (const consumers::GroupStatus& group : groups) {
    well = well && group.problem.empty();
  }
  return well ? "ok" : "degraded";
}

}  // namespace

void append_group(std::string& out, const consumers::GroupStatus& group) {
  out += '{';
  append_member(out, "group", group.group);
  fmt::format_to(std::back_inserter(out),
                 R"(,"kind":"{}","state":"{}","committed":{},"end":{},"lag":{},"lag_seconds":{},)"
                 R"("attempts":{},"dead_letters":{},"members":{})",
                 consumers::to_string(group.kind), consumers::to_string(group.state),
                 group.committed.value(), group.end.value(), group.lag, group.lag_seconds,
                 group.attempts, group.dead_letters, group.members);
  if (!group.problem.empty()) {
    out += ',';
    append_member(out, "problem", group.problem);
  }
  out += '}';
}

Response health(const Services& services) {
  const eventlog::LogStatus status = services.log.status();
  const std::vector<consumers::GroupStatus> groups = services.groups.list();
  const session::RegistryHealth sessions = services.sessions.health();
  Response response;
  std::string& out = response.body;
  out += '{';
  append_member(out, "status", overall(status, groups, sessions));
  out += ',';
  append_member(out, "version", services.version);
  fmt::format_to(std::back_inserter(out), R"(,"uptime_seconds":{},"active_sessions":{},)",
                 (services.clock.steady_ns() - services.started_ns) / kNsPerSecond,
                 sessions.running);
  append_log(out, services.log, status);
  out += R"(,"consumers":[)";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    out += i == 0 ? "" : ",";
    append_group(out, groups[i]);
  }
  fmt::format_to(std::back_inserter(out),
                 R"(],"sessions":{{"running":{},"pending_events":{},"lost_events":{},)",
                 sessions.running, sessions.pending_events, sessions.lost_events);
  append_member(out, "problem", sessions.problem);
  fmt::format_to(std::back_inserter(out), R"(}},"connections":{},)", services.counts.total.load());
  append_member(out, "libwebsockets", libwebsockets_version());
  out += '}';
  if (status.state == State::failed || status.state == State::closed) {
    response.status = 503;
  }
  return response;
}

Response alive() { return {.status = 200, .body = "ok\n", .content_type = "text/plain"}; }

Response ready(const Services& services) {
  const eventlog::LogStatus status = services.log.status();
  if (status.takes_events()) {
    return {.status = 200, .body = "ready\n", .content_type = "text/plain"};
  }
  const std::string reason =
      status.reason.empty() ? std::string(to_string(status.state)) : status.reason;
  return {.status = 503, .body = "not ready: " + reason + "\n", .content_type = "text/plain"};
}

Response auth_status(const Services& services) {
  Response response;
  response.body = fmt::format(R"({{"auth_required":{},"authenticated":{},"source":"local"}})",
                              services.auth_required, !services.auth_required);
  return response;
}

Response tunnel_status() {
  Response response;
  response.body = R"({"state":"disabled","mode":null,"url":null,"tunnel_name":null,"error":null})";
  return response;
}

}  // namespace vibes::net
