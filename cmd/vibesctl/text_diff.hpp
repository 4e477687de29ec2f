// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vibes::ctl {

/// What becomes of `before` when it is `after`, as a unified diff with three lines of context;
/// empty if nothing does.
std::string unified_diff(const std::string& name, std::string_view before, std::string_view after);

}  // namespace vibes::ctl
