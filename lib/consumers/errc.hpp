// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

namespace vibes::consumers {

enum class Errc {
  group_busy = 1,  // one has the group alone, or it is full; or it is to be moved while joined
  live_group,  // it follows the end and keeps no position: it cannot be joined, moved or removed
  bad_reject,  // there is no event at that offset yet
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);
/// The enumerator's name, which is what `code` says on the wire.
std::string_view to_wire_code(Errc code);

}  // namespace vibes::consumers

template <>
struct std::is_error_code_enum<vibes::consumers::Errc> : std::true_type {};
