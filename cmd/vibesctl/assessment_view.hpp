// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/curve.hpp"

namespace vibes::ctl {

/// What the assessment found in a session, as /api/assessment/sessions/ID tells it, for people to
/// read: how it goes, its curve, checkpoints, interventions and verdict. Lines of the tables are
/// cut to `table_columns`; 0: not cut.
std::string assessment_text(const nlohmann::json& assessment, const cli::CurveStyle& style,
                            std::size_t table_columns);

}  // namespace vibes::ctl
