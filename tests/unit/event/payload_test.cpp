// SPDX-License-Identifier: MIT
#include "event/payload.hpp"

#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;
using nlohmann::json;

namespace {

/// What most readers of JSON would find, the other parser among them.
void agree(const std::string& text) {
  CAPTURE(text);
  PayloadReader reader;
  const json expected = json::parse(text, nullptr, false);
  const PayloadValue payload = reader.read(text);
  const json found = payload.json();
  CHECK(found == expected);
  CHECK(found.dump() == expected.dump());
  if (const auto type = peek_inner_type(text)) {
    CHECK(payload.member("event").text("type") == *type);
  }
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all{
      R"({"type":"claude","session_id":"s","event":{"type":"text_delta","text":"a \"type\" \n \u00e9 \ud83d\ude00"}})",
      R"({"session_id":null,"n":-1.5e3,"b":true,"event":{"type":"stop","type":"error","id":"x"},"type":"hook"})",
      R"({ "type" : "hook" , "event" : { "type" : "pre_tool_use" , "tool_input" : {"b":[1,2,{}],"a":-7,"b":0} } })",
      R"({"type":"claude","event":{"type":"error","message":"m","\u0074ype":"tool_result"}})",
      R"({"type":"x","n":12345678901234567890123,"m":18446744073709551615,"k":-9223372036854775808,"j":9223372036854775808})",
      R"({"type":"x","a":1e-400,"b":1e308,"c":-0.0,"d":0.1,"e":1.0,"f":100000000000000000000.5,"g":[]})",
  };
  return all;
}

std::string member_text(const std::string& text, std::string_view key) {
  PayloadReader reader;
  return std::string(reader.read(text).text(key));
}

}  // namespace

TEST_CASE("payload: what is read is what the other parser reads", "[event]") {
  for (const std::string& seed : seeds()) {
    REQUIRE(check(seed, {UnknownTypes::pass, KnownFields::ignore}));
    agree(seed);
  }
  std::ifstream day(VIBES_SAMPLE_DAY);
  std::size_t events = 0;
  for (std::string line; std::getline(day, line); ++events) {
    agree(line);
  }
  CHECK(events > 1'000);
}

TEST_CASE("payload: every mutant that the log takes is read as the other parser reads it",
          "[event]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  constexpr std::string_view kBytes = "{}[]\",:\\ue019.-+E tfn/'ype";
  std::size_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seeds()[random() % seeds().size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          text.insert(at, text.substr(random() % text.size(), random() % 16));
          break;
        default:
          text.erase(at, 1 + random() % 3);
          break;
      }
    }
    if (const auto checked = check(text, {UnknownTypes::pass, KnownFields::ignore})) {
      agree(checked->payload);
      ++taken;
    }
  }
  CHECK(taken > 100);
}

TEST_CASE("payload: what is absent or of another kind is none", "[event]") {
  PayloadReader reader;
  const PayloadValue payload = reader.read(
      R"({"text":"t","null":null,"true":true,"zero":0,"less":-3,"more":18446744073709551615,)"
      R"("real":1.5,"list":[1,"two"],"object":{"text":"inner"}})");
  CHECK(payload.text("text") == "t");
  CHECK(payload.member("object").text("text") == "inner");
  CHECK(payload.member("text").member("text").is_null());
  CHECK(payload.text("absent").empty());
  CHECK(payload.text("list").empty());
  CHECK(payload.member("null").is_null());
  CHECK(!payload.member("zero").is_null());
  CHECK(payload.member("true").is_true());
  CHECK(!payload.member("text").is_true());
  CHECK(payload.member("zero").count() == 0);
  CHECK(!payload.member("less").count());
  CHECK(!payload.member("real").count());
  CHECK(payload.member("real").number() == 1.5);
  CHECK(payload.member("less").number() == -3);
  CHECK(!payload.member("text").number());
  CHECK(payload.member("less").is_nonzero());
  CHECK(payload.member("more").is_nonzero());
  CHECK(!payload.member("zero").is_nonzero());
  CHECK(!payload.member("real").is_nonzero());
  REQUIRE(payload.member("list").elements().size() == 2);
  CHECK(payload.member("list").elements()[1].text() == "two");
  CHECK(payload.member("object").elements().empty());
  for (const char* const none : {"", "{", "\"x", R"({"a":"\ud800"})", "{\"a\":\"\xff\"}"}) {
    CAPTURE(none);
    CHECK(!reader.read(none).element());
  }
}

TEST_CASE("payload: of two members with one name the last counts", "[event]") {
  CHECK(member_text(R"({"a":"first","b":{},"a":"last"})", "a") == "last");
  CHECK(member_text(R"({"a":"first","\u0061":"last"})", "a") == "last");
  CHECK(member_text(R"({"a":"first","a":7})", "a").empty());
}

TEST_CASE("payload: after one of the largest events the next is read", "[event]") {
  PayloadReader reader;
  const std::string large = R"({"a":")" + std::string(limits::kEventBytesMax - 8, 'x') + "\"}";
  CHECK(reader.read(large).text("a").size() == limits::kEventBytesMax - 8);
  CHECK(reader.read(R"({"a":"y"})").text("a") == "y");
  CHECK(reader.read(large).text("a").size() == limits::kEventBytesMax - 8);
}

TEST_CASE("peek: the type inside is seen at a glance where it is spelled plainly", "[event]") {
  CHECK(peek_inner_type(
            R"({"type":"claude","session_id":"s","event":{"type":"text_delta","text":"\n"}})") ==
        "text_delta");
  CHECK(peek_inner_type(
            R"( { "n" : 1 , "x" : null , "event" : { "type" : "stop" } , "y" : 2 } )") == "stop");
  for (const char* const unknown :
       {"", "[]", "{}", R"({"type":"claude"})", R"({"event":"text"})", R"({"event":{}})",
        R"({"event":{"id":"x","type":"stop"}})", R"({"a":{"event":{"type":"stop"}}})",
        R"({"event":{"type":"a","type":"b"}})", R"({"event":{"type":"a","\u0074ype":"b"}})",
        R"({"event":{"type":"\u0061"}})", R"({"\u0065vent":{"type":"a"}})",
        R"({"event":{"type":7}})", R"({"event":{"type":"a)",
        R"({"event":{"type":"a"},"event":{}})"}) {
    CAPTURE(unknown);
    CHECK(!peek_inner_type(unknown));
  }
}
