// SPDX-License-Identifier: MIT
#include "eventlog/group_offsets.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vibes::eventlog {

bool is_group_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= limits::kGroupNameBytesMax && name != "." &&
         name != ".." && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace vibes::eventlog
