// SPDX-License-Identifier: MIT
#include "io/patient_write.hpp"

#include <algorithm>

namespace vibes::io {

Result<void> write_patiently(File& file, std::uint64_t position, std::span<const std::byte> from) {
  while (!from.empty()) {
    const auto piece = from.first(std::min(from.size(), kPatientWriteBytes));
    VIBES_TRY(file.write_at(position, piece));
    position += piece.size();
    from = from.subspan(piece.size());
  }
  return {};
}

}  // namespace vibes::io
