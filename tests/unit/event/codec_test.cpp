// SPDX-License-Identifier: MIT
#include "event/codec.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;

namespace {

EventView view(std::string_view payload) {
  return {Offset(42),
          *parse_uuid("0190163d-8694-739b-aea5-966c26f8ad91"),
          Timestamp{1'709'164'799'000'001},
          "x",
          "s",
          payload};
}

}  // namespace

TEST_CASE("codec: an envelope holds the payload as it is stored", "[event]") {
  std::string out = "[";
  append_envelope(out, view(R"({"type":"x","n":1.0})"));
  CHECK(out == R"([{"event_id":"0190163d-8694-739b-aea5-966c26f8ad91","offset":42,)"
               R"("time":"2024-02-28T23:59:59.000001Z","event":{"type":"x","n":1.0}})");
}

TEST_CASE("codec: a frame is an envelope of type event", "[event]") {
  std::string out;
  append_event_frame(out, view(R"({"type":"x"})"));
  CHECK(out == R"({"type":"event","event_id":"0190163d-8694-739b-aea5-966c26f8ad91","offset":42,)"
               R"("time":"2024-02-28T23:59:59.000001Z","event":{"type":"x"}})");
}

TEST_CASE("codec: an envelope is one line, whatever lines the payload had", "[event]") {
  std::string out = "\n";
  append_envelope(out, view("{\r\n\"type\":\n\"x\"}"));
  CHECK(out.find_first_of("\r\n", 1) == std::string::npos);
  CHECK(out[0] == '\n');
  CHECK(nlohmann::json::parse(out)["event"] == nlohmann::json{{"type", "x"}});
}

TEST_CASE("codec: any bytes become a JSON string", "[event]") {
  const auto encoded = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  CHECK(encoded("") == R"("")");
  CHECK(encoded("plain \xc3\xa9") == "\"plain \xc3\xa9\"");
  CHECK(encoded("a\"b\\c\n\x01") == R"("a\"b\\c\n\u0001")");
  CHECK(encoded("x\xffy") == "\"x\xef\xbf\xbdy\"");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = "<" + std::string(1, static_cast<char>(byte)) + ">";
    const auto back = nlohmann::json::parse(encoded(text), nullptr, false);
    REQUIRE(back.is_string());
    CHECK((byte >= 0x80 || back.get<std::string>() == text));
  }
}
