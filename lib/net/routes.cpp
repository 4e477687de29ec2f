// SPDX-License-Identifier: MIT
#include "net/routes.hpp"

#include <utility>

#include "net/append_handler.hpp"
#include "net/assessment_handler.hpp"
#include "net/consumers_handler.hpp"
#include "net/health_handler.hpp"
#include "net/hooks_handler.hpp"
#include "net/metrics_handler.hpp"
#include "net/notify_handler.hpp"
#include "net/page_handler.hpp"
#include "net/push_handler.hpp"
#include "net/session_socket.hpp"
#include "net/sessions_handler.hpp"
#include "net/transcript_handler.hpp"

namespace vibes::net {

namespace {

Response session_response(SessionsReply reply) {
  return {.status = reply.status, .body = std::move(reply.body)};
}

}  // namespace

Routes::Routes(Services& services)
    : services_(services),
      firehose_{services.log,    services.broadcaster,
                past_,           filtered_,
                services.groups, services.links,
                services.clock,  "vibes-server/" + services.version},
      append_{services.log, services.budget, services.check} {}

void Routes::add_to(Router& router) {
  add_status_routes(router);
  add_event_routes(router);
  add_consumer_routes(router);
  add_session_routes(router);
  add_push_routes(router);
}

void Routes::add_status_routes(Router& router) {
  router.add(Method::get, "/healthz", Access::open,
             [](const Request&, const Responder& to) { to.send(alive()); });
  router.add(Method::get, "/readyz", Access::open,
             [this](const Request&, const Responder& to) { to.send(ready(services_)); });
  router.add(Method::get, "/api/auth/status", Access::open,
             [this](const Request&, const Responder& to) { to.send(auth_status(services_)); });
  router.add(Method::get, "/api/health", Access::token,
             [this](const Request&, const Responder& to) { to.send(health(services_)); });
  router.add(Method::get, "/metrics", Access::token,
             [this](const Request&, const Responder& to) { to.send(metrics(services_)); });
  router.add(Method::post, "/api/notify/test", Access::token,
             [this](const Request&, const Responder& to) { send_test(services_.notifier, to); });
  router.add(Method::get, "/api/tunnel/status", Access::token,
             [](const Request&, const Responder& to) { to.send(tunnel_status()); });
}

void Routes::add_event_routes(Router& router) {
  router.add(Method::post, "/api/events", Access::token,
             [this](const Request& request, const Responder& to) {
               append_events(request, to, services_);
             });
  router.add(
      Method::post, "/api/hooks", Access::token,
      [this](const Request& request, const Responder& to) { append_hook(request, to, services_); });
  router.add(Method::post, "/api/hooks/answer", Access::token,
             [this](const Request& request, const Responder& to) {
               to.send(answer_hook(request, services_));
             });
  router.add(
      Method::get, "/api/events", Access::token,
      [this](const Request& request, const Responder& to) { read_events(request, to, services_); });
  router.add({.path = "/ws/firehose",
              .plan = [this](const Query& query) { return plan_firehose(query, firehose_); }});
  router.add({.path = "/ws/append",
              .message_bytes_max = limits::kMessageBytesMax,
              .plan = [this](const Query& query) { return plan_append_socket(query, append_); }});
}

void Routes::add_consumer_routes(Router& router) {
  router.add(Method::get, "/api/consumers", Access::token,
             [this](const Request&, const Responder& to) { to.send(list_groups(services_)); });
  router.add(Method::get, "/api/consumers/*", Access::token,
             [this](const Request& request, const Responder& to) {
               to.send(find_group(services_, request.captures[0]));
             });
  router.add(Method::get, "/api/consumers/*/dead-letters", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, group = request.captures[0]] {
                 return group_dead_letters(services_, group);
               });
             });
  router.add(Method::put, "/api/consumers/*", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, group = request.captures[0], body = request.body] {
                 return seek_group(services_, group, body);
               });
             });
  router.add(Method::post, "/api/consumers/*/reset", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, group = request.captures[0]] {
                 return reset_group(services_, group);
               });
             });
  router.add(Method::remove, "/api/consumers/*", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, group = request.captures[0]] {
                 return remove_group(services_, group);
               });
             });
}

void Routes::add_session_routes(Router& router) {
  router.add(Method::get, "/api/sessions", Access::token,
             [this](const Request&, const Responder& to) {
               to.send(session_response(list_sessions(services_.sessions)));
             });
  router.add(Method::get, "/api/claude/sessions", Access::token,
             [this](const Request&, const Responder& to) {
               to.send(session_response(list_claude_sessions(services_.sessions)));
             });
  router.add(Method::post, "/api/sessions", Access::token,
             [this](const Request& request, const Responder& to) {
               create_session(services_.sessions, request.body, [to](SessionsReply reply) {
                 to.send(session_response(std::move(reply)));
               });
             });
  router.add(Method::remove, "/api/sessions/*", Access::token,
             [this](const Request& request, const Responder& to) {
               delete_session(services_.sessions, request.captures[0], [to](SessionsReply reply) {
                 to.send(session_response(std::move(reply)));
               });
             });
  router.add(Method::get, "/api/sessions/*/transcript", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, head = request.head, session = request.captures[0]] {
                 return read_transcript(services_.transcripts, session, head);
               });
             });
  router.add(Method::get, "/api/assessment/sessions", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, head = request.head] {
                 return list_assessed(services_.transcripts, head);
               });
             });
  router.add(Method::get, "/api/assessment/sessions/*", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, session = request.captures[0]] {
                 return read_assessment(services_.transcripts, session);
               });
             });
  router.add({.path = "/ws", .plan = [this](const Query&) -> Result<EndpointMaker> {
                return EndpointMaker([this](Connection& connection) {
                  return make_session_endpoint(connection, services_.sessions, services_.log);
                });
              }});
}

void Routes::add_push_routes(Router& router) {
  router.add(
      Method::get, "/api/push/vapid-key", Access::token,
      [this](const Request&, const Responder& to) { to.send(push_key(services_.notifier)); });
  router.add(Method::get, "/api/push/subscriptions", Access::token,
             [this](const Request&, const Responder& to) {
               to.send(push_subscriptions(services_.notifier));
             });
  router.add(Method::post, "/api/push/subscribe", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, body = request.body] {
                 return push_subscribe(services_.notifier, body);
               });
             });
  router.add(Method::remove, "/api/push/subscribe/*", Access::token,
             [this](const Request& request, const Responder& to) {
               in_background(to, [this, id = request.captures[0]] {
                 return push_unsubscribe(services_.notifier, id);
               });
             });
}

void Routes::in_background(const Responder& responder, std::function<Response()> make) {
  const bool taken =
      background_.post([responder, make = std::move(make)] { responder.send(make()); });
  if (!taken) {
    responder.send(error_response(429, "busy", "too many such requests wait"));
  }
}

}  // namespace vibes::net
