// SPDX-License-Identifier: MIT
#include "event/intervention_delivery.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"

namespace vibes::event {

NewEvent make_intervention_delivered(const InterventionDelivery& delivery) {
  VIBES_ASSERT(!delivery.session.empty() && delivery.session.size() <= limits::kSessionBytesMax);
  std::string text = R"({"type":"intervention_delivered","session_id":)";
  append_json_string(text, delivery.session);
  text += fmt::format(R"(,"intervention_id":"{}","hook_event_id":"{}"}})",
                      to_string(delivery.intervention), to_string(delivery.hook));
  auto event = check(text);
  VIBES_ASSERT(event.has_value());
  event->event_id = name_uuid(delivery.intervention, "intervention_delivered");
  return *std::move(event);
}

}  // namespace vibes::event
