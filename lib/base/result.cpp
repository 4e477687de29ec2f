// SPDX-License-Identifier: MIT
#include "base/result.hpp"

#include <cerrno>

namespace vibes {

std::string Error::message() const {
  if (context.empty()) {
    return code.message();
  }
  return context + ": " + code.message();
}

Unexpected fail(std::error_code code, std::string context) {
  VIBES_ASSERT(code);
  return Unexpected{Error{code, std::move(context)}};
}

Unexpected fail_errno(std::string context) { return fail_errno(errno, std::move(context)); }

Unexpected fail_errno(int errno_value, std::string context) {
  return fail(std::error_code(errno_value, std::system_category()), std::move(context));
}

}  // namespace vibes
