// SPDX-License-Identifier: MIT
#include "base/crc32c.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using vibes::crc32c;

namespace {

/// As the polynomial says it, one bit after the other.
std::uint32_t bit_by_bit(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kCastagnoliReflected = 0x82f63b78;
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kCastagnoliReflected : crc >> 1U;
    }
  }
  return ~crc;
}

/// Bytes that repeat nowhere soon, the same in every run.
std::vector<std::byte> noise(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: the vectors of RFC 3720 §B.4", "[base]") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  std::string up;
  for (char c = 0; c < 32; ++c) {
    up.push_back(c);
  }
  CHECK(crc32c(up) == 0x46dd794eU);
  CHECK(crc32c(std::string_view("123456789")) == 0xe3069283U);
}

TEST_CASE("crc32c: a sum can be continued", "[base]") {
  const std::string text = "the log comes first; everything else reads from it";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
  }
}

TEST_CASE("crc32c: every length up to 2,048, wherever it starts, is as the polynomial says",
          "[base]") {
  constexpr std::size_t kStarts = 17;  // more than any vector register is misaligned by
  constexpr std::size_t kLengthMax = 2'048;
  const std::vector<std::byte> bytes = noise(kStarts + kLengthMax);
  std::size_t wrong = 0;
  for (std::size_t start = 0; start < kStarts; ++start) {
    for (std::size_t length = 0; length <= kLengthMax; ++length) {
      const auto part = std::span(bytes).subspan(start, length);
      wrong += crc32c(part) == bit_by_bit(part) ? 0U : 1U;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("crc32c: long texts too, whole and continued", "[base]") {
  const std::vector<std::byte> bytes = noise(1'000'003);
  const std::uint32_t whole = bit_by_bit(bytes);
  CHECK(crc32c(bytes) == whole);
  const auto all = std::span(std::as_const(bytes));
  for (const std::size_t cut : {1U, 4'095U, 500'000U, 999'999U}) {
    CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == whole);
  }
}
