// SPDX-License-Identifier: MIT
// Whatever a payload is, it is read or refused, and what is read is bounded; whatever a text is, it
// is searched; whatever a state is, it is loaded or refused.
#include "base/limits.hpp"
#include "consumers/assessment/assessor.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;
using namespace vibes::consumers::assessment;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  Assessor assessor{Patterns()};
  std::int64_t time_us = 0;
  for (const std::string_view type : {"user_input", "claude", "hook", "session_removed"}) {
    if (const auto message = read_message(type, text)) {
      VIBES_ASSERT(message->text.size() <= limits::kAssessedTextBytesMax);
    }
    time_us += 400'000'000;
    const event::EventView view{Offset(0), kUrlNamespace, Timestamp{time_us}, type, "s", text};
    (void)assessor.fold(view);
  }
  Message message;
  message.kind = Message::Kind::prompt;
  message.text = text.substr(0, limits::kAssessedTextBytesMax);
  (void)LightweightLayer{Patterns()}.read(message, Repetition::none, {});
  (void)find_milestone("", text);
  (void)Patterns::make({.negative = {std::string(text)}, .positive = {}});
  const std::string state = assessor.save();
  VIBES_ASSERT(assessor.load(state) && assessor.save() == state);
  (void)assessor.load(text);
  return 0;
}
