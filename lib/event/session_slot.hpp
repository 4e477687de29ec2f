// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace vibes::event {

/// Which of limits::kGroupSlots slots a session's events belong to; those without a session have
/// one too. The same on every machine and in every version.
std::size_t session_slot(std::string_view session);

}  // namespace vibes::event
