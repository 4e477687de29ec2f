// SPDX-License-Identifier: MIT
#include "eventlog/nats/codec.hpp"

#include "eventlog/errc.hpp"
#include "nats_fixture.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::eventlog::nats;
using remote::RemoteBatch;
using test::batch_of;

namespace {

RawMessage raw(const EncodedMessage& message) {
  RawMessage raw;
  raw.body = message.body;
  for (const auto& [name, value] : message.headers) {
    const std::string_view header(name);
    (header == kIdHeader       ? raw.id
     : header == kOffsetHeader ? raw.offset
     : header == kTimeHeader   ? raw.time
                               : raw.count) = value;
  }
  return raw;
}

void check_same(const RemoteBatch& a, const RemoteBatch& b) {
  CHECK(a.first == b.first);
  CHECK(a.time == b.time);
  REQUIRE(a.events.size() == b.events.size());
  for (std::size_t i = 0; i < a.events.size(); ++i) {
    CHECK(a.events[i].payload == b.events[i].payload);
    CHECK(a.events[i].event_id == b.events[i].event_id);
    CHECK(a.events[i].type == b.events[i].type);
    CHECK(a.events[i].session == b.events[i].session);
  }
}

std::string why_foreign(const RawMessage& message) {
  const auto batch = decode(message);
  REQUIRE(!batch);
  CHECK(batch.error().code == Errc::foreign);
  return batch.error().context;
}

const char* const kSpread = "{\"type\":\"a.b\" ,\r\n\t\"n\": 1.50e+3,\n\"session_id\":\"s\"}";

}  // namespace

TEST_CASE("nats codec: one event is its payload, byte for byte", "[eventlog][nats]") {
  const auto batch = batch_of(Offset(7), {kSpread});
  const auto message = encode(batch, "vibes.events");
  CHECK(message.subject == "vibes.events.s");
  CHECK(message.body == kSpread);
  CHECK(message.headers.size() == 3);
  const auto decoded = decode(raw(message));
  REQUIRE(decoded);
  check_same(*decoded, batch);
}

TEST_CASE("nats codec: several events keep their bytes, line ends too", "[eventlog][nats]") {
  const auto batch = batch_of(Offset(40), {kSpread, R"({"type":"x"})", kSpread});
  const auto message = encode(batch, "p");
  CHECK(message.subject == "p._");
  const auto decoded = decode(raw(message));
  REQUIRE(decoded);
  check_same(*decoded, batch);
  CHECK(decoded->end() == Offset(43));
}

TEST_CASE("nats codec: what is promised about sizes holds", "[eventlog][nats]") {
  const auto batch = batch_of(Offset(INT64_MAX), {kSpread, kSpread});
  const auto message = encode(batch, "p");
  CHECK(message.body.size() <= 2 * (std::string_view(kSpread).size() + kEventFrameBytesMax));
  std::size_t headers = 0;
  for (const auto& [name, value] : message.headers) {
    headers += std::string_view(name).size() + value.size() + 4;
  }
  CHECK(headers + 200 <= kHeaderBytesMax);
}

TEST_CASE("nats codec: a session becomes one token of a subject", "[eventlog][nats]") {
  CHECK(session_token("") == "_");
  CHECK(session_token("_") == "%5F");
  CHECK(session_token("a_b-c") == "a_b-c");
  CHECK(session_token("a.b*>c d%") == "a%2Eb%2A%3Ec%20d%25");
  CHECK(session_token("\xc3\xa4") == "%C3%A4");
  const std::string x(256, 'x');
  CHECK(session_token(x).size() <= 140);
  CHECK(session_token(x + "a") != session_token(x + "b"));
  CHECK(session_token(std::string(256, '.')).size() <= 140);
}

TEST_CASE("nats codec: what does not decode is foreign and says why", "[eventlog][nats]") {
  const auto one = encode(batch_of(Offset(1), {R"({"type":"x"})"}), "p");
  const auto two = encode(batch_of(Offset(1), {R"({"type":"x"})", R"({"type":"y"})"}), "p");
  REQUIRE(decode(raw(one)));
  REQUIRE(decode(raw(two)));
  RawMessage message;
  SECTION("no headers") {
    message.body = one.body;
    CHECK(why_foreign(message) == "it has none of vibes' headers");
  }
  SECTION("no event") {
    message = raw(one);
    message.body = "hello";
    CHECK(why_foreign(message).find("no event") == 0);
  }
  SECTION("white space that check() would drop") {
    message = raw(one);
    message.body = "{\"type\":\"x\"}\n";
    CHECK(why_foreign(message).find("white space") == 0);
  }
  SECTION("bad headers") {
    message = raw(one);
    message.id = "nobody";
    CHECK(why_foreign(message).find("no UUID") != std::string::npos);
    message = raw(one);
    message.offset = "-1";
    CHECK(why_foreign(message).find(kOffsetHeader) == 0);
    message = raw(one);
    message.offset = "9223372036854775808";
    CHECK(why_foreign(message).find(kOffsetHeader) == 0);
    message = raw(one);
    for (const char* time : {"now", "2026-01-31T23:59:59.000001-", "2026-02-31T23:59:59.000001Z",
                             "2026-01-31T23:59:59+01:00"}) {
      message.time = time;
      CHECK(why_foreign(message).find(kTimeHeader) == 0);
    }
    message = raw(two);
    message.count = "0";
    CHECK(why_foreign(message).find(kCountHeader) == 0);
  }
  SECTION("a count that is not that of the body") {
    message = raw(two);
    message.count = "3";
    (void)why_foreign(message);
    message.count = "1";
    CHECK(why_foreign(message).find("behind the last event") != std::string::npos);
  }
  SECTION("an id that is not that of the first event") {
    message = raw(two);
    message.id = raw(one).id;
    CHECK(why_foreign(message).find("not that of the first") != std::string::npos);
  }
  SECTION("a body that is cut short") {
    for (std::size_t size = 0; size < two.body.size(); ++size) {
      message = raw(two);
      message.body = std::string_view(two.body).substr(0, size);
      (void)why_foreign(message);
    }
  }
}
