// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vibes::wire {

/// What a client's frame is masked with (RFC 6455 §5.3).
using MaskingKey = std::array<std::uint8_t, 4>;

/// Masks, or takes the mask off: the same thing. `at` is where in the frame's payload `bytes`
/// begin.
void apply_mask(std::span<char> bytes, const MaskingKey& key, std::uint64_t at);

}  // namespace vibes::wire
