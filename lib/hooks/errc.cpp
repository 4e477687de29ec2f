// SPDX-License-Identifier: MIT
#include "hooks/errc.hpp"

#include <string>

namespace vibes::hooks {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "vibes.hooks"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_settings:
        return "these settings cannot be edited";
      case Errc::settings_changed:
        return "the settings changed in the meantime";
      case Errc::settings_too_large:
        return "the settings are too large";
      case Errc::bad_hook_name:
        return "no hook that can be recorded";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

const std::error_category& error_category() {
  static const Category kCategory;
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

}  // namespace vibes::hooks
