// SPDX-License-Identifier: MIT
// A batch is refused with a reason or taken whole, and each of its events is one on its own.
#include "base/limits.hpp"
#include "event/check.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;

namespace {

void judge(const event::CheckedBatch& batch, std::string_view text) {
  VIBES_ASSERT(batch.refused.has_value() == batch.events.empty());
  VIBES_ASSERT(batch.events.size() <= limits::kBatchEventsMax);
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    const std::string_view payload = batch.events[i].payload;
    VIBES_ASSERT(text.find(payload) != std::string_view::npos);
    VIBES_ASSERT(event::check(payload));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  judge(event::check_ndjson(text), text);
  judge(event::check_array(text), text);
  return 0;
}
