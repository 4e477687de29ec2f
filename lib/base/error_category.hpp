// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace vibes {

/// The std::error_category of a layer's `Errc`: a name, and a function that says in a sentence what
/// a code means. A layer has one, static in its error_category(), for codes are compared by its
/// address.
template <class Errc>
class ErrorCategory final : public std::error_category {
 public:
  using TextOf = std::string_view (*)(Errc);
  ErrorCategory(const char* name, TextOf text_of) noexcept : name_(name), text_of_(text_of) {}

  [[nodiscard]] const char* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string(text_of_(static_cast<Errc>(value)));
  }

 private:
  const char* name_;
  TextOf text_of_;
};

}  // namespace vibes
