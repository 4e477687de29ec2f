// SPDX-License-Identifier: MIT
#include "verify/errc.hpp"

#include <string>

namespace vibes::verify {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "vibes.verify"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
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
    }
    return "unknown verification error";
  }
};

}  // namespace

const std::error_category& error_category() {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

}  // namespace vibes::verify
