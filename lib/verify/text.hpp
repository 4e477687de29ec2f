// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vibes::verify {

/// `text` as valid UTF-8 for a person and for XML 1.0: invalid bytes and control characters other
/// than tab and newline become U+FFFD.
std::string printable(std::string_view text);
/// The same on one line: newlines and tabs become spaces.
std::string one_line(std::string_view text);
/// printable(), with the five characters XML gives a meaning replaced by their entities.
std::string xml_escaped(std::string_view text);
/// `text` with `prefix` before each of its lines; ends with a newline unless empty.
std::string indented(std::string_view text, std::string_view prefix);

}  // namespace vibes::verify
