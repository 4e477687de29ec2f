// SPDX-License-Identifier: MIT
#include "eventlog/durability.hpp"

#include "eventlog/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;

TEST_CASE("durability: names are read back, and order is strength", "[eventlog]") {
  for (const Durability d :
       {Durability::memory, Durability::os, Durability::fsync, Durability::replicated}) {
    CHECK(parse_durability(to_string(d)) == d);
  }
  CHECK(Durability::memory < Durability::os);
  CHECK(Durability::os < Durability::fsync);
  CHECK(Durability::fsync < Durability::replicated);
  CHECK_FALSE(parse_durability("disk"));
  CHECK_FALSE(parse_durability(""));
}

TEST_CASE("durability: policies are read back", "[eventlog]") {
  for (const char* text : {"fsync", "os", "interval:1", "interval:50", "interval:3600000"}) {
    const auto policy = parse_durability_policy(text);
    REQUIRE(policy);
    CHECK(to_string(*policy) == text);
  }
  CHECK(*parse_durability_policy("fsync") == DurabilityPolicy{});
}

TEST_CASE("durability: what is no policy is refused", "[eventlog]") {
  for (const char* text :
       {"", "FSYNC", "memory", "interval", "interval:", "interval:0", "interval:-1", "interval:1s",
        "interval:3600001", "interval:99999999999", "interval: 5", " os"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_durability_policy(text));
  }
}

TEST_CASE("eventlog: every error has a text", "[eventlog]") {
  const std::string unknown = make_error_code(static_cast<Errc>(9'999)).message();
  for (int i = 1; i <= static_cast<int>(Errc::bad_url); ++i) {
    CHECK(make_error_code(static_cast<Errc>(i)).message() != unknown);
  }
}
