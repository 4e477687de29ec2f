// SPDX-License-Identifier: MIT
// Whatever an agent gives its hook becomes an event that the log takes, always the same one; and so
// does a line that is imported, or it is refused.
#include "event/check.hpp"
#include "fuzz/fuzz.hpp"
#include "hooks/hook_event.hpp"
#include "hooks/import.hpp"

using namespace vibes;

namespace {

void judge(const event::NewEvent& event) {
  const auto again = event::check(event.payload);
  VIBES_ASSERT(again && again->type == event.type && again->session == event.session);
  VIBES_ASSERT(event.event_id && !event.event_id->is_nil());
  VIBES_ASSERT(event.payload.find('\n') == std::string::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const hooks::HookCall call{.payload = text, .session = text.substr(0, 20), .id = kUrlNamespace};
  const hooks::HookEvents events = hooks::make_events(call);
  judge(events.hook);
  VIBES_ASSERT(hooks::make_events(call).hook.payload == events.hook.payload);
  if (events.link) {
    judge(*events.link);
  }
  if (const auto imported = hooks::import_line(text)) {
    judge(*imported);
    VIBES_ASSERT(hooks::import_line(text)->event_id == imported->event_id);
  }
  return 0;
}
