// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace vibes::event {

/// The slow way to say whether `text` is JSON we take, for the sake of a clear message: what is
/// wrong, at which byte, line and column. Reads token by token and builds nothing, so that no depth
/// or size can hurt. Errors: not_json, bad_utf8, too_deep, duplicate_key (of the outermost object),
/// not_an_object.
Result<void> judge_json(std::string_view text);

}  // namespace vibes::event
