// SPDX-License-Identifier: MIT
#include "hooks/hook_names.hpp"

#include <algorithm>
#include <array>

#include "event/ascii.hpp"
#include "hooks/errc.hpp"

namespace vibes::hooks {
namespace {

constexpr std::size_t kNameBytesMax = 64;

// A WorktreeCreate hook has to make the worktree and print where; WorktreeRemove is its
// counterpart. MessageDisplay runs for every few lines that the agent shows.
constexpr std::array<HookName, 31> kKnown{{{"Setup"},
                                           {"SessionStart"},
                                           {"InstructionsLoaded"},
                                           {"ConfigChange"},
                                           {"CwdChanged"},
                                           {"DirectoryAdded"},
                                           {"FileChanged"},
                                           {"WorktreeCreate", Effect::breaking},
                                           {"WorktreeRemove", Effect::costly},
                                           {"UserPromptSubmit"},
                                           {"UserPromptExpansion"},
                                           {"PreToolUse"},
                                           {"PermissionRequest"},
                                           {"PermissionDenied"},
                                           {"PostToolUse"},
                                           {"PostToolUseFailure"},
                                           {"PostToolBatch"},
                                           {"Elicitation"},
                                           {"ElicitationResult"},
                                           {"MessageDisplay", Effect::costly},
                                           {"Notification"},
                                           {"SubagentStart"},
                                           {"SubagentStop"},
                                           {"TaskCreated"},
                                           {"TaskCompleted"},
                                           {"TeammateIdle"},
                                           {"PreCompact"},
                                           {"PostCompact"},
                                           {"Stop"},
                                           {"StopFailure"},
                                           {"SessionEnd"}}};

const HookName* find(std::string_view name) {
  const auto* found = std::find_if(kKnown.begin(), kKnown.end(),
                                   [&](const HookName& known) { return known.name == name; });
  return found == kKnown.end() ? nullptr : found;
}

std::vector<std::string> up_to(Effect effect) {
  std::vector<std::string> names;
  for (const HookName& known : kKnown) {
    if (known.effect <= effect) {
      names.emplace_back(known.name);
    }
  }
  return names;
}

bool could_be_name(std::string_view name) {
  const auto is_letter = [](char c) {
    const char lower = event::ascii_lower(c);
    return lower >= 'a' && lower <= 'z';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name.front() >= 'A' &&
         name.front() <= 'Z' && std::all_of(name.begin(), name.end(), is_letter);
}

Result<void> check_name(std::string_view name) {
  const HookName* known = find(name);
  if (known != nullptr && known->effect == Effect::breaking) {
    return fail(make_error_code(Errc::bad_hook_name),
                std::string(name) + ": the agent fails if such a hook does not do its work");
  }
  if (known == nullptr && !could_be_name(name)) {
    return fail(make_error_code(Errc::bad_hook_name), "'" + std::string(name) + "'");
  }
  return {};
}

}  // namespace

std::span<const HookName> known_hooks() { return kKnown; }

bool is_known(std::string_view name) { return find(name) != nullptr; }

Result<std::vector<std::string>> choose_hooks(std::string_view list) {
  if (list == "default") {
    return up_to(Effect::none);
  }
  if (list == "all") {
    return up_to(Effect::costly);
  }
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view name = event::trim(list.substr(begin, end - begin));
    VIBES_TRY(check_name(name));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.emplace_back(name);
    }
    begin = end + 1;
  }
  return names;
}

}  // namespace vibes::hooks
