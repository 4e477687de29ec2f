// SPDX-License-Identifier: MIT
// A message is none of ours, or exactly what we would have written.
#include "eventlog/iggy/codec.hpp"
#include "eventlog/iggy/wire.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto batch = eventlog::iggy::decode(text)) {
    VIBES_ASSERT(!batch->events.empty());
    VIBES_ASSERT(eventlog::iggy::encode(*batch) == text);
  }
  static_cast<void>(eventlog::iggy::parse_polled(text));
  static_cast<void>(eventlog::iggy::parse_topic(text));
  static_cast<void>(eventlog::iggy::parse_login(text));
  static_cast<void>(eventlog::iggy::parse_sent(text));
  static_cast<void>(eventlog::iggy::parse_error(text));
  return 0;
}
