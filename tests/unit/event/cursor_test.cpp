// SPDX-License-Identifier: MIT
#include "event/cursor.hpp"

#include <vector>

#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;

namespace {

const Uuid kLog = *parse_uuid("0190163d-8694-739b-aea5-966c26f8ad91");

}  // namespace

TEST_CASE("cursor: text and back", "[event]") {
  for (const Cursor& cursor : {Cursor{kLog, Offset(0), 0}, Cursor{kLog, Offset(42), 0xdeadbeef},
                               Cursor{kLog, Offset(~0ULL), 1}, Cursor{kLog, Offset(7), 0}}) {
    const auto back = parse_cursor(to_string(cursor));
    REQUIRE(back);
    CHECK(*back == cursor);
  }
  CHECK(to_string(Cursor{kLog, Offset(42), 0xab}) ==
        "v1.0190163d-8694-739b-aea5-966c26f8ad91.42.000000ab");
}

TEST_CASE("cursor: anything else is refused", "[event]") {
  const std::string id = to_string(kLog);
  for (const std::string& text : std::vector<std::string>{
           "", "v1.", "v2." + id + ".42.000000ab", "v1." + id, "v1." + id + ".", "v1." + id + ".42",
           "v1." + id + ".42.", "v1." + id + ".42.ab", "v1." + id + ".42.000000AB",
           "v1." + id + ".042.000000ab", "v1." + id + ".+42.000000ab", "v1." + id + ".-1.000000ab",
           "v1." + id + ".42.000000ab ", " v1." + id + ".42.000000ab", "v1." + id + ".42.000000abc",
           "v1." + id + ".18446744073709551616.000000ab", "v1." + id + ".0.00000001",
           "v1." + id.substr(1) + ".42.000000ab",
           "v1.0190163D-8694-739b-aea5-966c26f8ad91.42.000000ab"}) {
    CAPTURE(text);
    const auto parsed = parse_cursor(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::bad_cursor);
  }
}

TEST_CASE("cursor: the check changes with place, id and payload", "[event]") {
  const EventView event{Offset(3), kLog, {}, "t", "s", "payload"};
  EventView moved = event;
  moved.offset = Offset(4);
  EventView renamed = event;
  renamed.event_id.bytes[15] ^= 1U;
  EventView rewritten = event;
  rewritten.payload = "Payload";
  CHECK(cursor_check(event) == cursor_check(event));
  CHECK(cursor_check(moved) != cursor_check(event));
  CHECK(cursor_check(renamed) != cursor_check(event));
  CHECK(cursor_check(rewritten) != cursor_check(event));
}
