// SPDX-License-Identifier: MIT
// Settings are refused, or hooks go in once, come out again, and nothing else is touched.
#include "fuzz/fuzz.hpp"
#include "hooks/json_edit.hpp"
#include "hooks/settings.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string before(fuzz::text_of(data, size));
  const std::vector<std::string> names{"Stop", "PreToolUse"};
  const auto ours = hooks::installed_hooks(before);
  const auto after = hooks::install_hooks(before, names, "vibesctl");
  VIBES_ASSERT(ours.has_value() == after.has_value());
  if (!after) {
    return 0;
  }
  VIBES_ASSERT(hooks::check_json(*after));
  VIBES_ASSERT(*hooks::install_hooks(*after, names, "vibesctl") == *after);
  VIBES_ASSERT(hooks::installed_hooks(*after)->size() >= ours->size());
  const auto without = hooks::uninstall_hooks(*after);
  VIBES_ASSERT(hooks::check_json(*without) && hooks::installed_hooks(*without)->empty());
  if (ours->empty()) {
    VIBES_ASSERT(*hooks::restore_settings(*after, before) == before);
  }
  return 0;
}
