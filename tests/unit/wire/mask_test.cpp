// SPDX-License-Identifier: MIT
#include "wire/mask.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace vibes::wire {
namespace {

TEST_CASE("apply_mask: the example of RFC 6455 §5.7", "[wire]") {
  std::string hello = "\x7f\x9f\x4d\x51\x58";
  apply_mask(hello, {0x37, 0xfa, 0x21, 0x3d}, 0);
  CHECK(hello == "Hello");
}

TEST_CASE("apply_mask: byte i of the payload goes with byte i mod 4 of the key, however it is cut",
          "[wire]") {
  const MaskingKey key{0x01, 0x80, 0xff, 0x10};
  std::string plain;
  for (std::size_t i = 0; i < 200; ++i) {
    plain += static_cast<char>(i * 7);
  }
  for (std::size_t size = 0; size <= plain.size(); ++size) {
    std::string masked = plain.substr(0, size);
    for (std::size_t i = 0; i < size; ++i) {
      masked[i] = static_cast<char>(masked[i] ^ key.at(i % 4));
    }
    for (const std::size_t cut : {std::size_t{0}, size / 3, size / 2 + 1, size}) {
      std::string text = masked;
      const std::size_t at = std::min(cut, size);
      apply_mask(std::span(text).first(at), key, 0);
      apply_mask(std::span(text).subspan(at), key, at);
      REQUIRE(text == std::string_view(plain).substr(0, size));
    }
  }
}

}  // namespace
}  // namespace vibes::wire
