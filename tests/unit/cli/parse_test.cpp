// SPDX-License-Identifier: MIT
#include "cli/parse.hpp"

#include <stdlib.h>
#include <time.h>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using vibes::Timestamp;
using vibes::cli::parse_duration;
using vibes::cli::parse_size;
using vibes::cli::parse_time;

namespace {

/// Local time with a half-hour offset, so that mistaking it for UTC shows.
void use_kolkata() {
  REQUIRE(::setenv("TZ", "IST-5:30", 1) == 0);
  ::tzset();
}

std::string at(std::string_view text) {
  const Timestamp now = *vibes::parse_rfc3339("2026-11-23T12:00:00Z");
  const auto time = parse_time(text, now);
  return time ? vibes::format_rfc3339(*time).substr(0, 19) : time.error().context;
}

}  // namespace

TEST_CASE("parse: a duration is a number of seconds or has a unit", "[cli][parse]") {
  CHECK(*parse_duration("30") == 30s);
  CHECK(*parse_duration("0") == 0s);
  CHECK(*parse_duration("1.5s") == 1500ms);
  CHECK(*parse_duration("250ms") == 250ms);
  CHECK(*parse_duration("2h30m") == 150min);
  CHECK(*parse_duration("7d") == 168h);
  CHECK(*parse_duration("1w") == 168h);
}

TEST_CASE("parse: what is no duration is refused", "[cli][parse]") {
  for (const char* text :
       {"", "abc", "5x", "-1", "1e99", "nan", "inf", "5s garbage", "99999999999w"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("parse: a size counts in 1024s", "[cli][parse]") {
  CHECK(*parse_size("512") == 512);
  CHECK(*parse_size("64k") == 65'536);
  CHECK(*parse_size("64KiB") == 65'536);
  CHECK(*parse_size("1.5G") == 1'610'612'736);
  CHECK_FALSE(parse_size("1 fortnight"));
  CHECK_FALSE(parse_size("-5"));
  CHECK_FALSE(parse_size("1k1k"));
}

TEST_CASE("parse: a time may be RFC 3339, relative, or local as people write it", "[cli][parse]") {
  use_kolkata();
  CHECK(at("2026-01-31T23:59:59+01:00") == "2026-01-31T22:59:59");
  CHECK(at("now") == "2026-11-23T12:00:00");
  CHECK(at("-1h") == "2026-11-23T11:00:00");
  CHECK(at("1h ago") == "2026-11-23T11:00:00");
  CHECK(at("+5m") == "2026-11-23T12:05:00");
  CHECK(at("today") == "2026-11-22T18:30:00");
  CHECK(at("yesterday") == "2026-11-21T18:30:00");
  CHECK(at("2026-11-23") == "2026-11-22T18:30:00");
  CHECK(at("2026-11-23 10:00") == "2026-11-23T04:30:00");
  CHECK(at("2026-11-23 10:00:30") == "2026-11-23T04:30:30");
  CHECK(at("10:00") == "2026-11-23T04:30:00");
}

TEST_CASE("parse: what is no time is refused and the forms are named", "[cli][parse]") {
  for (const char* text :
       {"", "soon", "2026-13-45", "-", "-1x", "25:00", "2026-11-23 10:00 extra"}) {
    INFO(text);
    CHECK(at(text).find("RFC 3339") != std::string::npos);
  }
}
