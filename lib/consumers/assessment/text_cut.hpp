// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vibes::consumers::assessment {

/// Whether this byte of UTF-8 is not the first of its character.
constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

/// The beginning of a text, at most so many bytes, whole characters only.
constexpr std::string_view head(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && is_continuation(text[bytes])) {
    --bytes;
  }
  return text.substr(0, bytes);
}

/// The same of its end.
constexpr std::string_view tail(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  std::size_t at = text.size() - bytes;
  while (at < text.size() && is_continuation(text[at])) {
    ++at;
  }
  return text.substr(at);
}

/// Beginning and end of a text, where it is longer than so many bytes.
inline std::string shortened(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kLeftOut = " […] ";
  if (text.size() <= bytes || bytes <= kLeftOut.size()) {
    return std::string(head(text, bytes));
  }
  const std::size_t room = bytes - kLeftOut.size();
  std::string out(head(text, room * 2 / 3));
  return out.append(kLeftOut).append(tail(text, room / 3));
}

}  // namespace vibes::consumers::assessment
