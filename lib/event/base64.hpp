// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vibes::event {

/// RFC 4648 §4, with padding.
std::string encode_base64(std::string_view bytes);
/// Nothing for what encode_base64() could not have made: white space, other characters, missing or
/// misplaced padding, bits set where padding begins.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace vibes::event
