// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace vibes::event {

/// Whether all of `text` is UTF-8. Of its own, because the small program has none of the library
/// that says it fast.
bool is_utf8(std::string_view text);

}  // namespace vibes::event
