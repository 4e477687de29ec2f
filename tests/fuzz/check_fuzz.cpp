// SPDX-License-Identifier: MIT
// The fast and the slow way agree on what is JSON, and what is taken is taken again unchanged.
#include "event/check.hpp"
#include "event/errc.hpp"
#include "event/json_verdict.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;
using event::Errc;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto checked = event::check(text);
  const bool is_json = event::judge_json(text).has_value();
  if (!checked) {
    const auto& code = checked.error().code;
    const bool grammar = code == Errc::not_json || code == Errc::not_an_object ||
                         code == Errc::bad_utf8 || code == Errc::too_deep ||
                         code == Errc::duplicate_key;
    VIBES_ASSERT(code == Errc::too_large || grammar == !is_json);
    return 0;
  }
  VIBES_ASSERT(is_json);
  VIBES_ASSERT(text.find(checked->payload) != std::string_view::npos);
  VIBES_ASSERT(!checked->type.empty());
  const auto again = event::check(checked->payload);
  VIBES_ASSERT(again && again->payload == checked->payload && again->type == checked->type &&
               again->session == checked->session && again->event_id == checked->event_id);
  return 0;
}
