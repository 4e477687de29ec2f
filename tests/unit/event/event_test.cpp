// SPDX-License-Identifier: MIT
#include "event/event.hpp"

#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes::event;

TEST_CASE("event: every category has a name that is read in either case", "[event]") {
  for (const Category category : {Category::claude, Category::session, Category::hook,
                                  Category::assessment, Category::custom}) {
    CHECK(parse_category(to_string(category)) == category);
  }
  CHECK(parse_category("Session") == Category::session);
  CHECK_FALSE(parse_category("sessions"));
  CHECK_FALSE(parse_category(""));
}

TEST_CASE("event: a type that is not ours is custom, also where only case differs", "[event]") {
  CHECK(category_of("mine") == Category::custom);
  CHECK(category_of("Claude") == Category::custom);
  CHECK(category_of("") == Category::custom);
  CHECK(category_of("notification") == Category::assessment);
}

TEST_CASE("event: every error has a text and a name on the wire", "[event]") {
  for (int i = 1; i <= static_cast<int>(Errc::batch_too_large); ++i) {
    const auto code = make_error_code(static_cast<Errc>(i));
    CHECK(code.message() != "unknown event error");
    CHECK(to_wire_code(static_cast<Errc>(i)) != "invalid_event");
  }
}
