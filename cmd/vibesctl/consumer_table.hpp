// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace vibes::ctl {

/// The consumers of /api/consumers or /api/health as aligned columns with a heading.
std::string consumer_table(const nlohmann::json& consumers);

}  // namespace vibes::ctl
