// SPDX-License-Identifier: MIT
// A cursor that is read is the one that would be written.
#include "event/cursor.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto cursor = event::parse_cursor(text);
  if (cursor) {
    VIBES_ASSERT(event::to_string(*cursor) == text);
  }
  return 0;
}
