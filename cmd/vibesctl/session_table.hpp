// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace vibes::ctl {

/// Terminal sessions, as /api/sessions lists them, for people to read.
std::string session_table(const nlohmann::json& sessions);

}  // namespace vibes::ctl
