// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.hpp"

namespace vibes {

/// Why something failed: a code a caller can switch on, and the context a person needs (which path,
/// which offset, what to do). The context is added once, where it is known.
struct Error {
  std::error_code code;
  std::string context;

  /// One line for a person: "context: what the code means".
  [[nodiscard]] std::string message() const;
};

/// The failed half of a Result, made by fail().
struct Unexpected {
  Error error;
};

[[nodiscard]] Unexpected fail(std::error_code code, std::string context);
/// Wraps the current value of errno.
[[nodiscard]] Unexpected fail_errno(std::string context);
[[nodiscard]] Unexpected fail_errno(int errno_value, std::string context);
[[nodiscard]] inline Unexpected fail(Error error) { return Unexpected{std::move(error)}; }

/// A value or an Error. Member names are those of std::expected, so that the day the toolchain has
/// it this becomes an alias. Ignoring a returned Result is a compile error in our builds.
template <class T>
class [[nodiscard]] Result {
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Result()
    requires std::is_void_v<T>
      : state_(std::in_place_index<0>) {}

  template <class U = Stored>
    requires(!std::is_void_v<T> && std::is_constructible_v<Stored, U &&> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Unexpected>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  Result(Unexpected failed) : state_(std::in_place_index<1>, std::move(failed.error)) {}  // NOLINT

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] const Error& error() const& {
    VIBES_ASSERT(!has_value());
    return std::get<1>(state_);
  }
  [[nodiscard]] Error&& error() && {
    VIBES_ASSERT(!has_value());
    return std::get<1>(std::move(state_));
  }

  Stored& operator*() & { return stored(); }
  const Stored& operator*() const& { return stored(); }
  Stored&& operator*() && { return std::move(stored()); }
  Stored* operator->() { return &stored(); }
  const Stored* operator->() const { return &stored(); }
  [[nodiscard]] Stored& value() & { return stored(); }
  [[nodiscard]] const Stored& value() const& { return stored(); }
  [[nodiscard]] Stored&& value() && { return std::move(stored()); }

 private:
  Stored& stored() {
    VIBES_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const Stored& stored() const {
    VIBES_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }

  std::variant<Stored, Error> state_;
};

}  // namespace vibes

#define VIBES_CONCAT_INNER(a, b) a##b
#define VIBES_CONCAT(a, b) VIBES_CONCAT_INNER(a, b)

/// Returns the error of `expr` to our caller, if it has one.
#define VIBES_TRY(expr)                                      \
  do {                                                       \
    if (auto vibes_result = (expr); !vibes_result) {         \
      return ::vibes::fail(std::move(vibes_result).error()); \
    }                                                        \
  } while (false)

/// Declares `var` with the value of `expr`, or returns its error to our caller.
#define VIBES_TRY_ASSIGN(var, expr) \
  VIBES_TRY_ASSIGN_INNER(VIBES_CONCAT(vibes_result_, __LINE__), var, expr)
#define VIBES_TRY_ASSIGN_INNER(result, var, expr)    \
  auto result = (expr);                              \
  if (!result) {                                     \
    return ::vibes::fail(std::move(result).error()); \
  }                                                  \
  auto var = *std::move(result)
