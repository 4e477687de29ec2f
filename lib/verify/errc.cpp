// SPDX-License-Identifier: MIT
#include "verify/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::verify {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::bad_history:
      return "not a history of this version";
    case Errc::unknown_scenario:
      return "no such scenario";
    case Errc::server_not_found:
      return "no vibes-server to start";
    case Errc::server_failed:
      return "the server did not run";
    case Errc::timeout:
      return "nothing came in time";
    case Errc::unexpected_answer:
      return "unexpected answer";
    case Errc::program_not_found:
      return "no such program";
  }
  return "unknown verification error";
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("vibes.verify", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

}  // namespace vibes::verify
