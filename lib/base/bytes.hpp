// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace vibes {

static_assert(std::endian::native == std::endian::little,
              "the log format is little-endian and is read in place");

/// Reads a little-endian integer from unaligned memory.
template <std::integral T>
T load_le(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Writes a little-endian integer to unaligned memory.
template <std::integral T>
void store_le(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace vibes
