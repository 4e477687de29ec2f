// SPDX-License-Identifier: MIT
// Types on the first line, the session on the second: a filter that is made matches what it names.
#include "event/filter.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t end = text.find('\n');
  std::optional<std::string> session;
  if (end != std::string_view::npos) {
    session = text.substr(end + 1);
  }
  const std::string_view types = text.substr(0, end);
  const auto filter = event::Filter::parse(types, session);
  if (!filter) {
    return 0;
  }
  const std::string given = session.value_or("");
  VIBES_ASSERT(!filter->matches_everything() || filter->matches("anything", "any session"));
  const bool plain = types.find_first_of(", \t\r") == std::string_view::npos;
  if (plain && !types.empty() && !event::parse_category(types)) {
    VIBES_ASSERT(filter->matches(types, given));
  }
  (void)filter->matches("session_created", given);
  return 0;
}
