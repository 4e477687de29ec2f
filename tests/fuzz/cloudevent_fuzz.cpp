// SPDX-License-Identifier: MIT
// What is read from a CloudEvent can be written as one and read again as the same event.
#include "event/check.hpp"
#include "event/cloudevent.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  (void)event::check_cloudevents(text);
  const auto event = event::check_cloudevent(text);
  if (!event) {
    return 0;
  }
  VIBES_ASSERT(event->event_id);
  std::string out;
  event::append_cloudevent(
      out, {Offset(1), *event->event_id, {}, event->type, event->session, event->payload},
      *event->event_id);
  const auto back = event::check_cloudevent(out);
  VIBES_ASSERT(back && back->event_id == event->event_id && back->type == event->type);
  VIBES_ASSERT(back->session == event->session);
  return 0;
}
