// SPDX-License-Identifier: MIT
#include "event/session_slot.hpp"

#include <cstdint>

#include "base/limits.hpp"

namespace vibes::event {

// FNV-1a, whose low bits alone are poor: they are folded with the high ones.
std::size_t session_slot(std::string_view session) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : session) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return static_cast<std::size_t>((hash ^ hash >> 32U) % limits::kGroupSlots);
}

}  // namespace vibes::event
