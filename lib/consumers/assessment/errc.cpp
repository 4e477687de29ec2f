// SPDX-License-Identifier: MIT
#include "consumers/assessment/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::consumers::assessment {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::bad_payload:
      return "the event cannot be assessed";
    case Errc::bad_pattern:
      return "not a pattern";
    case Errc::too_many_patterns:
      return "too many patterns";
    case Errc::bad_state:
      return "not a saved assessment";
    case Errc::bad_answer:
      return "not an answer";
  }
  return "unknown assessment error";
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("assessment", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

}  // namespace vibes::consumers::assessment
