// SPDX-License-Identifier: MIT
#include "consumers/notifications/base64url.hpp"

#include <algorithm>

#include "event/base64.hpp"

namespace vibes::consumers {

std::string encode_base64url(std::string_view bytes) {
  std::string text = event::encode_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  constexpr std::size_t kGroup = 4;
  std::string plain(text);
  if (plain.find_first_of("+/") != std::string::npos) {
    return std::nullopt;
  }
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  plain.append((kGroup - plain.size() % kGroup) % kGroup, '=');
  return event::decode_base64(plain);
}

}  // namespace vibes::consumers
