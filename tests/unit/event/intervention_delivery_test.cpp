// SPDX-License-Identifier: MIT
#include "event/intervention_delivery.hpp"

#include "support/catch.hpp"

namespace vibes::event {
namespace {

const Uuid kIntervention = *parse_uuid("0199e2b0-0000-7000-8000-000000000001");
const Uuid kHook = *parse_uuid("0199e2b0-0000-7000-8000-000000000002");

TEST_CASE("intervention_delivered: one intervention has one delivery, whatever hook it was",
          "[event]") {
  const NewEvent event = make_intervention_delivered({"s \"1\"", kIntervention, kHook});
  CHECK(event.payload == R"({"type":"intervention_delivered","session_id":"s \"1\"",)"
                         R"("intervention_id":"0199e2b0-0000-7000-8000-000000000001",)"
                         R"("hook_event_id":"0199e2b0-0000-7000-8000-000000000002"})");
  CHECK(event.type == "intervention_delivered");
  CHECK(event.session == "s \"1\"");
  CHECK(event.event_id == name_uuid(kIntervention, "intervention_delivered"));
  CHECK(make_intervention_delivered({"s", kIntervention, kIntervention}).event_id ==
        event.event_id);
  CHECK(make_intervention_delivered({"s", kHook, kHook}).event_id != event.event_id);
}

}  // namespace
}  // namespace vibes::event
