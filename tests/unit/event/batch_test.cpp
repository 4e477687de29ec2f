// SPDX-License-Identifier: MIT
#include <string>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;

namespace {

std::string event_of_bytes(std::size_t bytes) {
  const std::string head = R"({"type":"x","a":")";
  return head + std::string(bytes - head.size() - 2, 'y') + "\"}";
}

}  // namespace

TEST_CASE("batch: NDJSON is one event per line", "[event]") {
  const auto batch = check_ndjson("{\"type\":\"a\"}\r\n\n  \n {\"type\":\"b\"} \n{\"type\":\"c\"}");
  REQUIRE_FALSE(batch.refused);
  REQUIRE(batch.events.size() == 3);
  CHECK(batch.events[0].payload == R"({"type":"a"})");
  CHECK(batch.events[1].payload == R"({"type":"b"})");
  CHECK(batch.events[2].type == "c");
}

TEST_CASE("batch: one bad line refuses all and is named, counting empty lines", "[event]") {
  const auto batch = check_ndjson("{\"type\":\"a\"}\n\n{\"type\":7}\n{\"type\":\"c\"}\n");
  REQUIRE(batch.refused);
  CHECK(batch.events.empty());
  CHECK(batch.refused->line == 3);
  CHECK(batch.refused->error.code == Errc::bad_type);
}

TEST_CASE("batch: one event spread over lines is taken as it is", "[event]") {
  const std::string pretty = "{\n  \"type\": \"a\",\n  \"n\": 1\n}";
  const auto batch = check_ndjson(pretty + "\n");
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].payload == pretty);
  CHECK(check_ndjson("{\n \"type\": \"a\"\n}\n{\n \"type\": \"b\"\n}\n").refused);
}

TEST_CASE("batch: an empty one is refused", "[event]") {
  for (const char* text : {"", "\n\n", "  "}) {
    CHECK(check_ndjson(text).refused->error.code == Errc::empty_batch);
    CHECK(check_array(text).refused->error.code == Errc::empty_batch);
  }
  CHECK(check_array("[]").refused->error.code == Errc::empty_batch);
  CHECK(check_array("[ \n]").refused->error.code == Errc::empty_batch);
}

TEST_CASE("batch: an array keeps the bytes of its elements", "[event]") {
  const auto batch =
      check_array(" [ {\"type\":\"a\",\"s\":\"],[{\\\"\",\"x\":[1,[2]]} ,\n{\"type\" : \"b\"}]\n");
  REQUIRE_FALSE(batch.refused);
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[0].payload == R"({"type":"a","s":"],[{\"","x":[1,[2]]})");
  CHECK(batch.events[1].payload == R"({"type" : "b"})");
}

TEST_CASE("batch: a single event is an array of one", "[event]") {
  CHECK(check_array(" {\"type\":\"a\"} ").events.size() == 1);
  CHECK(check_array("{\"type\":\"a\"},").refused);
}

TEST_CASE("batch: an array that is none is refused at its element", "[event]") {
  const auto line_of = [](const char* text) {
    const auto batch = check_array(text);
    CAPTURE(text);
    REQUIRE(batch.refused);
    CHECK(batch.events.empty());
    return batch.refused->line;
  };
  CHECK(line_of(R"([{"type":"a"},])") == 2);
  CHECK(line_of(R"([,{"type":"a"}])") == 1);
  CHECK(line_of(R"([{"type":"a"},,{"type":"b"}])") == 2);
  CHECK(line_of(R"([{"type":"a"} {"type":"b"}])") == 1);
  CHECK(line_of(R"([{"type":"a"},{"type":"b"})") == 2);
  CHECK(line_of(R"([{"type":"a"}] x)") == 1);
  CHECK(line_of(R"([{"type":"a"},1])") == 2);
  CHECK(line_of(R"([{"type":"a"},[{"type":"b"}]])") == 2);
  CHECK(line_of(R"([{"type":"a"},{"type":"b"}]])") == 2);
  CHECK(line_of("[") == 1);
  CHECK(line_of("[\"") == 1);
}

TEST_CASE("batch: more than 4 MiB or 65,536 events are refused", "[event]") {
  std::string large;
  for (std::size_t i = 0; i < limits::kBatchBytesMax / limits::kEventBytesMax; ++i) {
    large += event_of_bytes(limits::kEventBytesMax) + "\n";
  }
  CHECK_FALSE(check_ndjson(large).refused);
  const auto refused = check_ndjson(large + R"({"type":"x"})");
  REQUIRE(refused.refused);
  CHECK(refused.refused->error.code == Errc::batch_too_large);
  CHECK(refused.refused->line == 5);

  std::string many;
  for (std::size_t i = 0; i < limits::kBatchEventsMax; ++i) {
    many += "{\"type\":\"x\"}\n";
  }
  CHECK(check_ndjson(many).events.size() == limits::kBatchEventsMax);
  CHECK(check_ndjson(many + R"({"type":"x"})").refused->error.code == Errc::batch_too_large);
}
