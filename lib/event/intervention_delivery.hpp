// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/uuid.hpp"
#include "event/event.hpp"

namespace vibes::event {

/// That an agent was given an intervention.
struct InterventionDelivery {
  std::string_view session;
  Uuid intervention;  // the event_id of the intervention
  Uuid hook;          // that of the hook whose answer carried it
};

/// The event `intervention_delivered`. Its event_id depends on the intervention alone, so that the
/// log takes one delivery of it and no second one. The session must be 1 to
/// limits::kSessionBytesMax bytes.
NewEvent make_intervention_delivered(const InterventionDelivery& delivery);

}  // namespace vibes::event
