// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vibes::hooks {

/// What installing a hook that only records does to the agent.
enum class Effect : std::uint8_t {
  none,      // installed unless other hooks are asked for
  costly,    // called many times a second, or takes over a task it was meant to do: on request only
  breaking,  // the agent waits for an answer and fails without it: never installed
};

struct HookName {
  std::string_view name;
  Effect effect = Effect::none;
};

/// The hooks of Claude Code known today, in the order of a session's life. There will be others:
/// nothing but the choice of what is installed depends on this list.
std::span<const HookName> known_hooks();

bool is_known(std::string_view name);

/// The hooks that `list` asks for: "default", "all" (of those that can be installed) or names with
/// commas between them. A name that is not known is taken if it could be one. Errors:
/// Errc::bad_hook_name.
Result<std::vector<std::string>> choose_hooks(std::string_view list);

}  // namespace vibes::hooks
