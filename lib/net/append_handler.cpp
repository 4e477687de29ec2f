// SPDX-License-Identifier: MIT
#include "net/append_handler.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "event/cloudevent.hpp"
#include "event/errc.hpp"
#include "net/append_error.hpp"
#include "net/append_response.hpp"

namespace vibes::net {

namespace {

event::CheckedBatch single(Result<event::NewEvent> checked) {
  event::CheckedBatch batch;
  if (checked) {
    batch.events.push_back(*std::move(checked));
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

/// The event_id that a header gives to a single event without one.
std::optional<Response> apply_idempotency_key(const std::string& key,
                                              std::vector<event::NewEvent>& events) {
  if (key.empty()) {
    return std::nullopt;
  }
  const auto id = parse_uuid(key);
  if (!id || events.size() != 1) {
    return error_response(400, "bad_idempotency_key",
                          "Idempotency-Key is a UUID and goes with a single event");
  }
  if (!events.front().event_id) {
    events.front().event_id = id;
  }
  return std::nullopt;
}

std::optional<Response> refuse_durability(const Query& query, const eventlog::EventLog& log) {
  const auto wanted = query.get("ack");
  if (!wanted) {
    return std::nullopt;
  }
  const auto durability = eventlog::parse_durability(*wanted);
  if (!durability) {
    return error_response(400, "bad_query", "ack is memory, os, fsync or replicated");
  }
  const eventlog::Durability given = durability_of(log.status());
  if (given < *durability) {
    return error_response(412, "durability_unavailable",
                          fmt::format("this log acknowledges as {}", eventlog::to_string(given)));
  }
  return std::nullopt;
}

}  // namespace

void append_events(const Request& request, const Responder& responder, Services& services) {
  if (auto refused = refuse_durability(request.head.query, services.log)) {
    return responder.send(*std::move(refused));
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
  const Result<void> taken = services.log.append_driven(
      std::move(checked->events),
      [responder, share](const Result<eventlog::AppendReceipt>& receipt) {
        responder.send(receipt ? receipt_response(*receipt) : append_error(receipt.error()));
      });
  if (!taken) {
    responder.send(append_error(taken.error()));
  }
}

}  // namespace vibes::net
