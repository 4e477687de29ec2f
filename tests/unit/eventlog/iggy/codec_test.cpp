// SPDX-License-Identifier: MIT
#include "eventlog/iggy/codec.hpp"

#include "contract/harness.hpp"
#include "event/check.hpp"
#include "eventlog/errc.hpp"

namespace vibes::test {
namespace {

using eventlog::iggy::decode;
using eventlog::iggy::encode;
using eventlog::remote::RemoteBatch;

constexpr std::string_view kId = "018f4e2a-7c31-7d5e-9a10-0123456789ab";

event::NewEvent checked(std::string_view payload) {
  auto event = event::check(payload);
  REQUIRE(event);
  event->event_id = *parse_uuid(kId);
  return *std::move(event);
}

RemoteBatch batch_of(std::vector<std::string> payloads) {
  RemoteBatch batch{.first = Offset(41), .time = {1'795'617'216'733'773}, .events = {}};
  for (const std::string& payload : payloads) {
    batch.events.push_back(checked(payload));
  }
  return batch;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void check_foreign(std::string_view payload, std::string_view why) {
  const auto decoded = decode(payload);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == eventlog::Errc::foreign);
  CHECK_THAT(decoded.error().context, Catch::Contains(std::string(why)));
}

}  // namespace

TEST_CASE("iggy codec: a message is a line that says what follows, and a line for each event",
          "[iggy]") {
  CHECK(encode(batch_of({R"({"type":"a"})", R"({"type":"b","n":1})"})) ==
        R"({"vibes":1,"offset":41,"count":2,"time":"2026-11-25T14:33:36.733773Z","bytes":[12,18]})"
        "\n"
        R"({"event_id":"018f4e2a-7c31-7d5e-9a10-0123456789ab","offset":41,)"
        R"("time":"2026-11-25T14:33:36.733773Z","event":{"type":"a"}})"
        "\n"
        R"({"event_id":"018f4e2a-7c31-7d5e-9a10-0123456789ab","offset":42,)"
        R"("time":"2026-11-25T14:33:36.733773Z","event":{"type":"b","n":1}})"
        "\n");
}

TEST_CASE("iggy codec: what was encoded comes back, line ends too", "[iggy]") {
  const RemoteBatch batch = batch_of({R"({"type":"a","session_id":"s","n":1.50})",
                                      "{\n  \"type\" : \"b\",\r\n\"x\":\r[]}",
                                      "{\"type\":\"c\",\"x\":\"\xc3\xa4\\n\\u0000 } \"}"});
  const auto decoded = decode(encode(batch));
  REQUIRE(decoded);
  CHECK(decoded->first == batch.first);
  CHECK(decoded->time == batch.time);
  REQUIRE(decoded->events.size() == batch.events.size());
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    CHECK(decoded->events[i].payload == batch.events[i].payload);
    CHECK(decoded->events[i].type == batch.events[i].type);
    CHECK(decoded->events[i].session == batch.events[i].session);
    CHECK(decoded->events[i].event_id == batch.events[i].event_id);
  }
}

TEST_CASE("iggy codec: a message takes no more than is reckoned with", "[iggy]") {
  using eventlog::iggy::kEventBytesAround;
  using eventlog::iggy::kMessageBytesAround;
  RemoteBatch batch = batch_of({R"({"type":"a"})"});
  const std::size_t payload = batch.events[0].payload.size();
  batch.first = Offset(std::numeric_limits<std::uint64_t>::max() - 1);
  CHECK(encode(batch).size() <= kMessageBytesAround + kEventBytesAround + payload);
  batch.events.resize(limits::kBatchEventsMax, batch.events[0]);
  batch.first = Offset(std::numeric_limits<std::uint64_t>::max() - limits::kBatchEventsMax);
  CHECK(encode(batch).size() <=
        kMessageBytesAround + limits::kBatchEventsMax * (kEventBytesAround + payload));
}

TEST_CASE("iggy codec: who asks for its turn is known, and asks for nothing else", "[iggy]") {
  using eventlog::iggy::decode_turn;
  const std::string turn = eventlog::iggy::encode_turn(kId);
  CHECK(decode_turn(turn) == kId);
  CHECK_FALSE(decode(turn));
  CHECK_FALSE(decode_turn(encode(batch_of({R"({"type":"a"})"}))));
  CHECK_FALSE(decode_turn(""));
}

TEST_CASE("iggy codec: whatever is not exactly what we write is none of ours", "[iggy]") {
  const std::string good = encode(batch_of({R"({"type":"a"})", R"({"type":"b"})"}));
  REQUIRE(decode(good));
  check_foreign("", "does not begin");
  check_foreign("hello", "does not begin");
  check_foreign(R"({"vibes":1})", "does not begin");
  check_foreign("{\"vibes\":1\n", "no JSON");
  check_foreign(replaced(good, "{\"vibes\":1", "{\"vibes\":2"), "another version");
  check_foreign(replaced(good, "{\"vibes\":1", "{\"vibes\":\"1\""), "another version");
  check_foreign(replaced(good, "\"count\":2", "\"count\":3"), "how long");
  check_foreign(replaced(good, "\"count\":2", "\"count\":0"), "how long");
  check_foreign(replaced(good, "[12,12]", "[12,-12]"), "no event has");
  check_foreign(replaced(good, "[12,12]", "[12,9999999]"), "no event has");
  check_foreign(replaced(good, "[12,12]", "[12,13]"), "event 42");
  check_foreign(replaced(good, "[12,12]", "[12, 12]"), "not as vibes writes");
  check_foreign(
      replaced(good, "\"offset\":41,\"count\"", "\"offset\":18446744073709551615,\"count\""),
      "too large");
  check_foreign(replaced(good, "{\"event_id\":\"0", "{\"event_id\":\"x"), "does not begin");
  check_foreign(replaced(good, "\"offset\":41,\"time\"", "\"offset\":43,\"time\""), "not as vibes");
  check_foreign(replaced(good, R"({"type":"a"})", R"(["type","a"])"), "event 41");
  check_foreign(good + "x", "not as vibes writes");
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode(std::string_view(good).substr(0, size)));
  }
}

}  // namespace vibes::test
