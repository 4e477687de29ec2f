// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vibes::hooks {

/// Whether the answer of this hook may carry text that the agent reads; `name` in snake case.
bool carries_context(std::string_view name);

/// The answer by which such a hook gives its agent `context`: {"hookSpecificOutput":{
/// "hookEventName":"UserPromptSubmit","additionalContext":"…"}}. `name` in snake case.
std::string context_answer(std::string_view name, std::string_view context);

}  // namespace vibes::hooks
