// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vibes::consumers {

/// RFC 4648 §5, without padding.
std::string encode_base64url(std::string_view bytes);
/// With or without padding; nothing for what is neither.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace vibes::consumers
