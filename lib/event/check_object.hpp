// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "event/check.hpp"

namespace vibes::event {

/// check() of an object whose `type` may be longer than that of an event, because it wraps one.
Result<NewEvent> check_object(std::string_view json, const CheckOptions& options,
                              std::size_t type_bytes_max);

}  // namespace vibes::event
