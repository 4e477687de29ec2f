// SPDX-License-Identifier: MIT
#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// Debian packages no CRC-32C library for C++, so this is the shortest correct one: the processor's
// own instruction where there is one, a table elsewhere.

namespace vibes {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1U) ^ kPolynomial : value >> 1U;
    }
    table[i] = value;
  }
  return table;
}

constexpr auto kTable = make_table();

std::uint32_t extend_with_table(std::uint32_t crc, const unsigned char* at, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    crc = (crc >> 8U) ^ kTable[(crc ^ at[i]) & 0xffU];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t extend_with_sse42(std::uint32_t crc,
                                                                  const unsigned char* at,
                                                                  std::size_t size) {
  std::uint64_t wide = crc;
  for (; size >= 8; at += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++at, --size) {
    narrow = _mm_crc32_u8(narrow, *at);
  }
  return narrow;
}
#endif

using Extend = std::uint32_t (*)(std::uint32_t, const unsigned char*, std::size_t);

Extend choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return extend_with_sse42;
  }
#endif
  return extend_with_table;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
  static const Extend kExtend = choose();
  return ~kExtend(~seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  return crc32c(std::as_bytes(std::span(bytes)), seed);
}

}  // namespace vibes
