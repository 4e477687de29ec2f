// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vibes::ctl {

/// Finds the keys that leave a session, ctrl-\ d, among what is typed. ctrl-\ twice types it once;
/// before any other key it is typed like that key.
class DetachKey {
 public:
  struct Typed {
    std::string bytes;  // for the session; what comes behind the detach keys is dropped
    bool detach = false;
  };
  /// The next keys, in any pieces.
  Typed take(std::string_view keys);

 private:
  bool begun_ = false;  // ctrl-\ was the last
};

}  // namespace vibes::ctl
