// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "io/file_system.hpp"

namespace vibes::io {

/// Within one write the kernel may not give its core to anybody else: a mebibyte took 2 ms, six
/// took 9, and a client that the same core had to run waited for so long.
inline constexpr std::size_t kPatientWriteBytes = 128 * limits::kKiB;

/// File::write_at() for who has time: in pieces of kPatientWriteBytes, between which others get the
/// core.
Result<void> write_patiently(File& file, std::uint64_t position, std::span<const std::byte> from);

}  // namespace vibes::io
