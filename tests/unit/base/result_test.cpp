// SPDX-License-Identifier: MIT
#include "base/result.hpp"

#include <cerrno>
#include <memory>

#include "support/catch.hpp"

using namespace vibes;

namespace {

Result<int> half(int value) {
  if (value % 2 != 0) {
    return fail(std::make_error_code(std::errc::invalid_argument), "odd");
  }
  return value / 2;
}

Result<int> quarter(int value) {
  VIBES_TRY_ASSIGN(once, half(value));
  VIBES_TRY_ASSIGN(twice, half(once));
  return twice;
}

Result<void> must_be_even(int value) {
  VIBES_TRY(half(value));
  return {};
}

}  // namespace

TEST_CASE("result: a value comes through, an error stops at the first failure", "[base]") {
  REQUIRE(quarter(8));
  CHECK(*quarter(8) == 2);
  REQUIRE_FALSE(quarter(6));
  CHECK(quarter(6).error().context == "odd");
  CHECK(must_be_even(2));
  CHECK_FALSE(must_be_even(3));
}

TEST_CASE("result: move-only values are moved", "[base]") {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  REQUIRE(made);
  const std::unique_ptr<int> taken = *std::move(made);
  CHECK(*taken == 7);
}

TEST_CASE("result: an error says what, then why", "[base]") {
  const Unexpected failed = fail_errno(ENOENT, "cannot open /nowhere");
  CHECK(failed.error.message() == "cannot open /nowhere: No such file or directory");
  CHECK(failed.error.code == std::errc::no_such_file_or_directory);
}
