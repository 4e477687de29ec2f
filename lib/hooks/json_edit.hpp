// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace vibes::hooks {

/// Edits of JSON as text, so that everything they do not concern stays byte for byte, and in the
/// style of what is around them. All spans are of a text that check_json() has taken.

/// Strict JSON: no comments, no trailing commas. Errors: Errc::bad_settings with line and column.
Result<void> check_json(std::string_view text);

/// "line 3, column 5" of byte `at`, both from 1.
std::string place_of(std::string_view text, std::size_t at);

/// The bytes [begin, end).
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::string_view of(std::string_view text) const {
    return text.substr(begin, end - begin);
  }
};

/// A member of an object, or an element of an array (then without key).
struct Part {
  Span whole;
  std::string key;
  Span value;
};

/// The text's one value.
Span root_of(std::string_view text);
/// The parts of the object or array at `container`.
std::vector<Part> parts_of(std::string_view text, Span container);

/// Adds a part at the end of `container`: under `key` if it is an object.
std::string add_part(std::string_view text, Span container, std::string_view key,
                     const nlohmann::ordered_json& value);
/// Takes part number `index` out of `container`, with the comma that goes with it.
std::string remove_part(std::string_view text, Span container, std::size_t index);
std::string replace(std::string_view text, Span span, std::string_view with);

}  // namespace vibes::hooks
