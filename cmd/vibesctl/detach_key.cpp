// SPDX-License-Identifier: MIT
#include "detach_key.hpp"

#include <utility>

namespace vibes::ctl {

DetachKey::Typed DetachKey::take(std::string_view keys) {
  constexpr char kPrefix = '\x1c';
  Typed typed;
  for (const char key : keys) {
    if (!std::exchange(begun_, false)) {
      begun_ = key == kPrefix;
      if (!begun_) {
        typed.bytes += key;
      }
      continue;
    }
    if (key == 'd') {
      typed.detach = true;
      return typed;
    }
    typed.bytes += kPrefix;
    if (key != kPrefix) {
      typed.bytes += key;
    }
  }
  return typed;
}

}  // namespace vibes::ctl
