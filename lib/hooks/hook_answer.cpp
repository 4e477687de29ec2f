// SPDX-License-Identifier: MIT
#include "hooks/hook_answer.hpp"

#include <algorithm>
#include <iterator>

#include "base/assert.hpp"
#include "event/codec.hpp"

namespace vibes::hooks {
namespace {

struct ContextHook {
  std::string_view name;
  std::string_view agents_name;
};
constexpr ContextHook kContextHooks[] = {{"user_prompt_submit", "UserPromptSubmit"},
                                         {"session_start", "SessionStart"}};

const ContextHook* find(std::string_view name) {
  const auto* const found = std::ranges::find(kContextHooks, name, &ContextHook::name);
  return found == std::end(kContextHooks) ? nullptr : found;
}

}  // namespace

bool carries_context(std::string_view name) { return find(name) != nullptr; }

std::string context_answer(std::string_view name, std::string_view context) {
  const ContextHook* const hook = find(name);
  VIBES_ASSERT(hook != nullptr);
  std::string answer = R"({"hookSpecificOutput":{"hookEventName":)";
  event::append_json_string(answer, hook->agents_name);
  answer += R"(,"additionalContext":)";
  event::append_json_string(answer, context);
  return answer + "}}";
}

}  // namespace vibes::hooks
