// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include "base/result.hpp"
#include "event/check.hpp"
#include "event/known_types.hpp"

namespace vibes::event {

/// Checks the fields of a known type, inner events included. Errors: bad_field, unknown_type; the
/// context names the field by its path.
Result<void> check_shape(simdjson::dom::object event, const Shape& shape, UnknownTypes unknown);

}  // namespace vibes::event
