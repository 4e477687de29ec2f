// SPDX-License-Identifier: MIT
#include "consumers/errc.hpp"

#include <string>

namespace vibes::consumers {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "consumers"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::group_busy:
        return "the group has a member already";
      case Errc::live_group:
        return "a live group keeps no position";
      case Errc::bad_reject:
        return "no event there to reject";
    }
    return "unknown consumer error";
  }
};

}  // namespace

const std::error_category& error_category() {
  static const Category category;
  return category;
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
