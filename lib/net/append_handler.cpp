// SPDX-License-Identifier: MIT
#include "net/append_handler.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "event/cloudevent.hpp"
#include "event/errc.hpp"
#include "net/append_error.hpp"
#include "net/append_query.hpp"
#include "net/append_response.hpp"

namespace vibes::net {

namespace {

event::CheckedBatch single(Result<event::NewEvent> checked) {
  event::CheckedBatch batch;
  if (checked) {
    batch.events.add(event::view_of(*checked));
  } else {
    batch.refused = event::BatchError{1, std::move(checked).error()};
  }
  return batch;
}

/// Nothing: a media type that we do not take.
std::optional<event::CheckedBatch> check_body(const Request& request,
                                              const event::CheckOptions& options) {
  const std::string type = media_type(request.head.content_type);
  if (type == "application/json") {
    return event::check_array(request.body, options);
  }
  if (type == "application/x-ndjson") {
    return event::check_ndjson(request.body, options);
  }
  if (type == "application/cloudevents+json") {
    return single(event::check_cloudevent(request.body, options));
  }
  if (type == "application/cloudevents-batch+json") {
    return event::check_cloudevents(request.body, options);
  }
  return std::nullopt;
}

/// The event_ids that a header gives to events without one: its own to the first of the request,
/// and counted up from there.
std::optional<Response> apply_idempotency_key(const std::string& key, event::PackedEvents& events) {
  if (key.empty()) {
    return std::nullopt;
  }
  const auto first = parse_uuid(key);
  if (!first || first->is_nil()) {
    return error_response(400, "bad_idempotency_key", kBadIdempotencyKey);
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].event_id) {
      events.set_event_id(i, uuid_after(*first, i));
    }
  }
  return std::nullopt;
}

}  // namespace

void append_events(const Request& request, const Responder& responder, Services& services) {
  const auto query = parse_append_query(request.head.query, AckIds::with, services.log);
  if (!query) {
    return responder.send(error_response(400, "bad_query", query.error().context));
  }
  if (query->unavailable) {
    return responder.send(error_response(412, "durability_unavailable", *query->unavailable));
  }
  auto checked = check_body(request, services.check);
  if (!checked) {
    return responder.send(error_response(
        415, "unsupported_media_type",
        "send application/json, application/x-ndjson or application/cloudevents+json"));
  }
  if (checked->refused) {
    return responder.send(append_error(checked->refused->error, checked->refused->line));
  }
  if (auto refused = apply_idempotency_key(request.head.idempotency_key, checked->events)) {
    return responder.send(*std::move(refused));
  }
  // Shared because a std::function must be copyable; given back when the log has answered.
  auto share = std::make_shared<AppendBudget::Share>(services.budget.take(request.body.size()));
  if (!*share) {
    return responder.send(
        append_error(Error{eventlog::Errc::queue_full, "too many events wait for the log"}));
  }
  eventlog::AppendBundle bundle{std::move(checked->events), {}};
  bundle.close_append();
  const auto taken = services.log.append_bundle(
      bundle, eventlog::answer_of_one([responder, share, ids = query->ids](
                                          const Result<eventlog::AppendReceipt>& receipt) {
        responder.send(receipt ? receipt_response(*receipt, ids) : append_error(receipt.error()));
      }));
  if (!taken) {
    responder.send(append_error(taken.error()));
  }
}

}  // namespace vibes::net
