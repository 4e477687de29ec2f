// SPDX-License-Identifier: MIT
#include "net/hooks_handler.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/codec.hpp"
#include "event/intervention_delivery.hpp"
#include "hooks/hook_answer.hpp"
#include "hooks/hook_event.hpp"
#include "net/append_response.hpp"

namespace vibes::net {

namespace {

/// What is done about an event_id that another payload has.
enum class OnConflict : std::uint8_t { take_another_id, refuse };

struct HookAppend {
  Services& services;
  Responder responder;
  std::shared_ptr<AppendBudget::Share> share;  // given back when the log has answered

  void run(hooks::HookEvents events, OnConflict on_conflict) const;
  void finish(hooks::HookEvents events, OnConflict on_conflict,
              const Result<eventlog::AppendReceipt>& receipt) const;
  void answer(const hooks::HookEvents& events, const Uuid& hook) const;
  void hand_over(const std::string& name, const std::string& session, const Uuid& hook) const;
};

Response nothing_to_say() { return {.status = 200, .body = "{}"}; }

std::vector<event::NewEvent> batch_of(const hooks::HookEvents& events) {
  std::vector<event::NewEvent> batch;
  if (events.link) {
    batch.push_back(*events.link);
  }
  batch.push_back(events.hook);
  return batch;
}

void HookAppend::run(hooks::HookEvents events, OnConflict on_conflict) const {
  std::vector<event::NewEvent> batch = batch_of(events);
  const Result<void> taken = services.log.append_driven(
      std::move(batch),
      [append = *this, events = std::move(events), on_conflict](const auto& receipt) mutable {
        append.finish(std::move(events), on_conflict, receipt);
      });
  if (!taken) {
    responder.send(append_error(taken.error()));
  }
}

/// On the log's own thread, which may be asked to append but not to wait.
void HookAppend::finish(hooks::HookEvents events, OnConflict on_conflict,
                        const Result<eventlog::AppendReceipt>& receipt) const {
  if (receipt) {
    // While the engine of the log is away, nobody knows what was delivered elsewhere.
    if (receipt->pending) {
      responder.send({.status = receipt_status(*receipt), .body = "{}"});
    } else {
      answer(events, receipt->places.back().event_id);
    }
  } else if (receipt.error().code == eventlog::Errc::event_id_conflict &&
             on_conflict == OnConflict::take_another_id) {
    events.hook.event_id = hooks::id_by_content(events.hook);
    run(std::move(events), OnConflict::refuse);
  } else {
    responder.send(append_error(receipt.error()));
  }
}

/// The log's thread may not look for interventions: that reads.
void HookAppend::answer(const hooks::HookEvents& events, const Uuid& hook) const {
  const std::string& session = events.hook.session;
  if (services.interventions == nullptr || session.empty() ||
      !hooks::carries_context(events.name)) {
    return responder.send(nothing_to_say());
  }
  responder.poster()([append = *this, name = events.name, session, hook] {
    append.hand_over(name, session, hook);
  });
}

std::vector<event::NewEvent> deliveries_of(const consumers::Handout& handout,
                                           const std::string& session, const Uuid& hook) {
  std::vector<event::NewEvent> events;
  events.reserve(handout.interventions.size());
  for (const Uuid& intervention : handout.interventions) {
    events.push_back(event::make_intervention_delivered({session, intervention, hook}));
  }
  return events;
}

/// The delivery first: an answer that is lost is given again to the same hook, one that is not
/// recorded would be given to the next. What cannot be recorded is not said; the hook is well.
void HookAppend::hand_over(const std::string& name, const std::string& session,
                           const Uuid& hook) const {
  const auto handout = services.interventions->hand_out(session, hook);
  if (!handout) {
    return responder.send(nothing_to_say());
  }
  const Result<void> taken = services.log.append_driven(
      deliveries_of(*handout, session, hook),
      [to = responder, said = hooks::context_answer(name, handout->context)](const auto& receipt) {
        to.send(receipt ? Response{.status = 200, .body = said} : nothing_to_say());
      });
  if (!taken) {
    responder.send(nothing_to_say());
  }
}

std::string handout_json(const consumers::Handout& handout) {
  std::string json = R"({"interventions":[)";
  for (const Uuid& intervention : handout.interventions) {
    json += fmt::format("{}\"{}\"", json.back() == '[' ? "" : ",", to_string(intervention));
  }
  json += R"(],"context":)";
  event::append_json_string(json, handout.context);
  return json + '}';
}

}  // namespace

Response answer_hook(const Request& request, const Services& services) {
  const std::string session = request.head.query.get("session").value_or("");
  const auto hook = parse_uuid(request.head.query.get("event").value_or(""));
  if (session.empty() || session.size() > limits::kSessionBytesMax || !hook) {
    return error_response(400, "bad_query",
                          "session is a session's id, event the event_id of a hook");
  }
  const auto handout = services.interventions == nullptr
                           ? std::nullopt
                           : services.interventions->hand_out(session, *hook);
  return handout ? Response{.status = 200, .body = handout_json(*handout)}
                 : Response{.status = 204};
}

void append_hook(const Request& request, const Responder& responder, Services& services) {
  if (media_type(request.head.content_type) != "application/json") {
    return responder.send(
        error_response(415, "unsupported_media_type", "a hook's payload is application/json"));
  }
  const std::string& key = request.head.idempotency_key;
  const std::optional<Uuid> id = parse_uuid(key);
  if (!key.empty() && (!id || id->is_nil())) {
    return responder.send(error_response(400, "bad_idempotency_key", kBadIdempotencyKey));
  }
  auto share = std::make_shared<AppendBudget::Share>(services.budget.take(request.body.size()));
  if (!*share) {
    return responder.send(
        append_error({eventlog::Errc::queue_full, "too many events wait for the log"}));
  }
  const std::string session = request.head.query.get("session").value_or("");
  HookAppend{services, responder, std::move(share)}.run(
      hooks::make_events({.payload = request.body, .session = session, .id = id}),
      OnConflict::take_another_id);
}

}  // namespace vibes::net
