// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace vibes::ctl {

/// A member of an answer as a person reads it, control characters escaped; "-" if it is missing or
/// null.
std::string shown(const nlohmann::json& object, const char* key);

}  // namespace vibes::ctl
