// SPDX-License-Identifier: MIT
#pragma once

#include "verify/scenario.hpp"

namespace vibes::verify {

/// The scenarios, one file each.
Scenario create_session_scenario();
Scenario append_order_scenario();
Scenario filters_scenario();
Scenario bad_input_scenario();
Scenario resume_scenario();
Scenario consumer_groups_scenario();
Scenario dead_letter_scenario();
Scenario slow_client_scenario();
Scenario restart_scenario();
Scenario notifications_scenario();
Scenario assessment_scenario();

}  // namespace vibes::verify
