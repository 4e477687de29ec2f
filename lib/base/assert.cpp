// SPDX-License-Identifier: MIT
#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace vibes {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  (void)std::fprintf(stderr, "vibes: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace vibes
