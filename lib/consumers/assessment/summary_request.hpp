// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "consumers/assessment/model_answer.hpp"
#include "consumers/assessment/results.hpp"
#include "event/event.hpp"

namespace vibes::consumers::assessment {

/// Whether a model may be asked for a better summary than that of a rule: mediums and heavies.
bool has_summary(const event::NewEvent& result);

/// The result as a model tells it: with its summary, and its outcome if it gave one; then the
/// rule's stays as `rule_outcome`. Of the rest only the spelling of numbers changes.
event::NewEvent told_by_model(const event::NewEvent& result, const ModelAnswer& answer);
/// The result as the rule told it, and why no model did.
event::NewEvent told_by_rule(const event::NewEvent& result, std::string_view why);

/// Results that wait for a model, as a JSON array for a state, and back. Errors: Errc::bad_state.
std::string save_requests(const std::vector<AssessmentResult>& requests);
Result<std::vector<AssessmentResult>> load_requests(std::string_view json);

}  // namespace vibes::consumers::assessment
