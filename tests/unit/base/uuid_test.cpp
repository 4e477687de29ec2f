// SPDX-License-Identifier: MIT
#include "base/uuid.hpp"

#include "support/catch.hpp"

using namespace vibes;

TEST_CASE("uuid: text and back", "[base]") {
  const std::string text = "0190163d-8694-739b-aea5-966c26f8ad91";
  const auto uuid = parse_uuid(text);
  REQUIRE(uuid);
  CHECK(to_string(*uuid) == text);
  CHECK(parse_uuid("0190163D-8694-739B-AEA5-966C26F8AD91") == uuid);
}

TEST_CASE("uuid: what is no UUID is refused", "[base]") {
  for (const char* text :
       {"", "0190163d", "0190163d-8694-739b-aea5-966c26f8ad9",
        "g190163d-8694-739b-aea5-966c26f8ad91", "0190163d8694739baea5966c26f8ad910000",
        "{190163d-8694-739b-aea5-966c26f8ad9}"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uuid(text).has_value());
  }
}

TEST_CASE("uuid: version 7 grows strictly, within a millisecond and when the clock steps back",
          "[base]") {
  UuidV7Generator generator;
  Uuid last = generator.next(Timestamp{1'700'000'000'000'000});
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t now = 1'700'000'000'000'000 + (i % 3 - 1) * 5'000;
    const Uuid next = generator.next(Timestamp{now});
    REQUIRE(last < next);
    REQUIRE((next.bytes[6] >> 4U) == 7);
    REQUIRE((next.bytes[8] >> 6U) == 2);
    last = next;
  }
}

TEST_CASE("uuid: what comes after one has its version and variant", "[base]") {
  const auto after = [](const char* uuid, std::uint64_t steps) {
    return to_string(uuid_after(*parse_uuid(uuid), steps));
  };
  CHECK(after("0190163d-8694-739b-aea5-966c26f8ad91", 0) == "0190163d-8694-739b-aea5-966c26f8ad91");
  CHECK(after("0190163d-8694-739b-aea5-966c26f8ad91", 1) == "0190163d-8694-739b-aea5-966c26f8ad92");
  CHECK(after("0190163d-8694-739b-aea5-966c26f8adff", 2) == "0190163d-8694-739b-aea5-966c26f8ae01");
  CHECK(after("0190163d-8694-739b-bfff-ffffffffffff", 1) == "0190163d-8694-739b-8000-000000000000");
  CHECK(after("6ba7b810-9dad-11d1-00b4-00c04fd430c8", 8) == "6ba7b810-9dad-11d1-00b4-00c04fd430d0");
}

TEST_CASE("uuid: version 7 counts up within a millisecond", "[base]") {
  UuidV7Generator generator;
  const Timestamp now{1'700'000'000'123'456};
  const Uuid first = generator.next(now);
  for (std::uint64_t steps = 1; steps < 1'000; ++steps) {
    REQUIRE(generator.next(now) == uuid_after(first, steps));
  }
}

TEST_CASE("uuid: version 7 carries its millisecond", "[base]") {
  UuidV7Generator generator;
  CHECK(generator.next(Timestamp{1'700'000'000'123'456}).unix_ms() == 1'700'000'000'123);
  CHECK_FALSE(random_uuid().unix_ms().has_value());
}
