// SPDX-License-Identifier: MIT
#pragma once

#include "consumers/consumer.hpp"
#include "consumers/interventions/intervention_store.hpp"

namespace vibes::consumers {

/// The handler of the group `interventions`: folds every event into the store and settles what the
/// store has saved. The store must outlive the runner.
HandlerFactory gather_interventions(InterventionStore& store);

}  // namespace vibes::consumers
