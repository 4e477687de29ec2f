// SPDX-License-Identifier: MIT
#pragma once

namespace vibes {

/// Prints the failed condition with its place and aborts. A recorder that has lost its own
/// invariants must stop rather than write.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace vibes

/// Stays on in release builds. For bugs of ours only, never for bad input.
#define VIBES_ASSERT(condition)                                  \
  do {                                                           \
    if (!(condition)) [[unlikely]] {                             \
      ::vibes::assertion_failed(#condition, __FILE__, __LINE__); \
    }                                                            \
  } while (false)
