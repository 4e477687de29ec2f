// SPDX-License-Identifier: MIT
#include "base/clock.hpp"

#include "support/catch.hpp"

using namespace vibes;

TEST_CASE("clock: RFC 3339 is written in UTC with microseconds", "[base]") {
  CHECK(format_rfc3339(Timestamp{0}) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_rfc3339(Timestamp{1'709'164'799'000'001}) == "2024-02-28T23:59:59.000001Z");
  CHECK(format_rfc3339(Timestamp{1'709'164'799'999'999}) == "2024-02-28T23:59:59.999999Z");
  CHECK(format_rfc3339(Timestamp{1'709'164'800'000'000}) == "2024-02-29T00:00:00.000000Z");
  CHECK(format_rfc3339(Timestamp{-1}) == "1969-12-31T23:59:59.999999Z");
  CHECK(format_rfc3339(Timestamp{0}) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("clock: RFC 3339 is read with any offset and fraction", "[base]") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == Timestamp{0});
  CHECK(parse_rfc3339("1970-01-01t00:00:01.5z") == Timestamp{1'500'000});
  CHECK(parse_rfc3339("1970-01-01T01:00:00+01:00") == Timestamp{0});
  CHECK(parse_rfc3339("2024-02-29T00:00:00.000001Z") == Timestamp{1'709'164'800'000'001});
}

TEST_CASE("clock: what is no RFC 3339 is refused", "[base]") {
  for (const char* text :
       {"", "now", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00Zx",
        "1970-13-01T00:00:00Z", "1970-02-30T00:00:00Z", "1970-01-01T25:00:00Z",
        "4104-01-05T0::00:00Z", "1970-01-01T00:00:0:Z", "1970-01-01T00:00:00.Z",
        "0226-02-31T23:59:59.000001-", "1970-01-01T00:00:00+", "1970-01-01T00:00:00+1",
        "1970-01-01T00:00:00.", "-970-01-01T00:00:00Z", "1970-01-01T00:00:+0Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}
