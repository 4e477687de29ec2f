// SPDX-License-Identifier: MIT
#include "event/utf8.hpp"

#include <simdjson.h>

namespace vibes::event {

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text); }

}  // namespace vibes::event
