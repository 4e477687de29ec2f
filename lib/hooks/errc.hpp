// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

namespace vibes::hooks {

/// Why the hooks of an agent's settings are left as they are. The context says where and what.
enum class Errc {
  bad_settings = 1,    // no JSON, or not in the form in which an agent keeps its hooks
  settings_changed,    // somebody else wrote the file while we did
  settings_too_large,  // over limits::kSettingsBytesMax
  bad_hook_name,       // no name of a hook, or one that must not be recorded
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

}  // namespace vibes::hooks

template <>
struct std::is_error_code_enum<vibes::hooks::Errc> : std::true_type {};
