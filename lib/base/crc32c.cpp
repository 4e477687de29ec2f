// SPDX-License-Identifier: MIT
#include "base/crc32c.hpp"

#include <algorithm>

#include <isa-l/crc.h>

#if defined(__x86_64__)
#include <array>
#include <cstring>

#include <immintrin.h>
#endif

// Long stretches are ISA-L's, which multiplies 64 bytes at a time where the processor can. It is
// slow to start: for what is no longer than most records the processor's CRC instruction is
// quicker.

namespace vibes {
namespace {

std::uint32_t extend_long(std::uint32_t crc, std::span<const std::byte> bytes) {
  constexpr std::size_t kAtOnceMax = std::size_t{1} << 30U;  // the library's length is an int
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kAtOnceMax));
    // It only reads, whatever its prototype says.
    auto* const at = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
    crc = crc32_iscsi(at, static_cast<int>(part.size()), crc);
    bytes = bytes.subspan(part.size());
  }
  return crc;
}

#if defined(__x86_64__)

constexpr std::size_t kWord = sizeof(std::uint64_t);
/// From here on the library is quicker.
constexpr std::size_t kLong = 1'024;
/// From here on it pays to work on three stretches at once.
constexpr std::size_t kThreeAtOnce = 96;

/// By what a CRC is multiplied to be that of its text and so many words of zeros: x to the power of
/// 64 times the words, less the 33 that multiplying and reducing add, reflected.
constexpr auto make_powers() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected
  std::array<std::uint32_t, 2 * (kLong / kWord / 3) + 1> powers{};
  std::uint32_t power = 0x80000000;  // x to the 0
  for (std::size_t exponent = 0, words = 1; words < powers.size(); ++exponent) {
    if (exponent == 64 * words - 33) {
      powers[words++] = power;
    }
    power = (power & 1U) != 0 ? (power >> 1U) ^ kPolynomial : power >> 1U;
  }
  return powers;
}
constexpr auto kPowers = make_powers();

std::uint64_t word_at(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2,pclmul"))) std::uint64_t put_before_zeros(std::uint64_t crc,
                                                                        std::size_t words) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<std::int64_t>(crc)),
                                               _mm_cvtsi64_si128(std::int64_t{kPowers[words]}), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

/// The instruction has its result after three cycles and can be given work in each of them: three
/// thirds of the bytes side by side take as long as one, and are put together after.
__attribute__((target("sse4.2,pclmul"))) std::uint32_t extend_short(
    std::uint32_t crc, std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  std::size_t size = bytes.size();
  std::uint64_t wide = crc;
  if (size >= kThreeAtOnce) {
    const std::size_t words = size / kWord / 3;
    const std::size_t third = words * kWord;
    std::uint64_t second = 0;
    std::uint64_t last = 0;
    for (const std::byte* const end = at + third; at != end; at += kWord) {
      wide = _mm_crc32_u64(wide, word_at(at));
      second = _mm_crc32_u64(second, word_at(at + third));
      last = _mm_crc32_u64(last, word_at(at + 2 * third));
    }
    wide = put_before_zeros(wide, 2 * words) ^ put_before_zeros(second, words) ^ last;
    at += 2 * third;
    size -= 3 * third;
  }
  for (; size >= kWord; at += kWord, size -= kWord) {
    wide = _mm_crc32_u64(wide, word_at(at));
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++at, --size) {
    narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
  }
  return narrow;
}

/// The library leaves the upper halves of the vector registers in use, after which everything that
/// is compiled for SSE, as most of a program is, runs at a fraction of its speed.
__attribute__((target("avx"))) void clear_upper_halves() { _mm256_zeroupper(); }

std::uint32_t extend(std::uint32_t crc, std::span<const std::byte> bytes) {
  static const bool kHasShort =
      __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  static const bool kHasUpperHalves = __builtin_cpu_supports("avx") != 0;
  if (kHasShort && bytes.size() < kLong) {
    return extend_short(crc, bytes);
  }
  crc = extend_long(crc, bytes);
  if (kHasUpperHalves) {
    clear_upper_halves();
  }
  return crc;
}

#else

std::uint32_t extend(std::uint32_t crc, std::span<const std::byte> bytes) {
  return extend_long(crc, bytes);
}

#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
  return ~extend(~seed, bytes);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  return crc32c(std::as_bytes(std::span(bytes)), seed);
}

}  // namespace vibes
