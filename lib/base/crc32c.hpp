// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vibes {

/// CRC-32C (Castagnoli, RFC 3720 §B.4), with the best instructions that the processor has. `seed`
/// is the CRC of what came before: crc32c(b, crc32c(a)) is the CRC of a followed by b. Thread-safe.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace vibes
