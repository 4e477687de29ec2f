// SPDX-License-Identifier: MIT
#include "net/hooks_handler.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
};

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
  const Result<void> taken = services.log.append(
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
    responder.send({.status = 200, .body = "{}"});
  } else if (receipt.error().code == eventlog::Errc::event_id_conflict &&
             on_conflict == OnConflict::take_another_id) {
    events.hook.event_id = hooks::id_by_content(events.hook);
    run(std::move(events), OnConflict::refuse);
  } else {
    responder.send(append_error(receipt.error()));
  }
}

}  // namespace

void append_hook(const Request& request, const Responder& responder, Services& services) {
  if (media_type(request.head.content_type) != "application/json") {
    return responder.send(
        error_response(415, "unsupported_media_type", "a hook's payload is application/json"));
  }
  const std::string& key = request.head.idempotency_key;
  const std::optional<Uuid> id = parse_uuid(key);
  if (!key.empty() && (!id || id->is_nil())) {
    return responder.send(
        error_response(400, "bad_idempotency_key", "Idempotency-Key is a UUID, not all zero"));
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
