// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace vibes::verify {

/// The strings as exec and posix_spawn want them, with a null pointer behind the last. They must
/// outlive it.
inline std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace vibes::verify
