// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

namespace vibes::consumers::assessment {

/// Why something could not be assessed.
enum class Errc {
  bad_payload = 1,    // an event that is no JSON, or whose fields are of an absurd kind
  bad_pattern,        // a pattern of the configuration that cannot be understood
  too_many_patterns,  // over limits::kAssessmentPatternsMax
  bad_state,          // a saved state that is not ours
  bad_answer,         // a model's that cannot be understood
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

}  // namespace vibes::consumers::assessment

template <>
struct std::is_error_code_enum<vibes::consumers::assessment::Errc> : std::true_type {};
