// SPDX-License-Identifier: MIT
#include "consumers/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::consumers {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::group_busy:
      return "the group has a member already";
    case Errc::live_group:
      return "a live group keeps no position";
    case Errc::bad_reject:
      return "no event there to reject";
  }
  return "unknown consumer error";
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("consumers", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

std::string_view to_wire_code(Errc code) {
  switch (code) {
    case Errc::group_busy:
      return "group_busy";
    case Errc::live_group:
      return "live_group";
    case Errc::bad_reject:
      return "bad_reject";
  }
  return "failed";
}

}  // namespace vibes::consumers
