// SPDX-License-Identifier: MIT
#include "event/check.hpp"

#include <string>
#include <thread>

#include "base/limits.hpp"
#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;
using namespace std::string_literals;

namespace {

Errc refusal(std::string_view json, const CheckOptions& options = {}) {
  const auto checked = check(json, options);
  INFO(json.substr(0, 200));
  REQUIRE_FALSE(checked);
  REQUIRE(checked.error().code.category() == error_category());
  return static_cast<Errc>(checked.error().code.value());
}

std::string reason(std::string_view json) {
  const auto checked = check(json);
  INFO(json);
  REQUIRE_FALSE(checked);
  return checked.error().message();
}

NewEvent taken(std::string_view json) {
  auto checked = check(json);
  INFO(json.substr(0, 200));
  if (!checked) {
    FAIL(checked.error().message());
  }
  return *std::move(checked);
}

/// An event whose deepest level is `levels`, the innermost array holding `inside`.
std::string nested(std::size_t levels, const std::string& inside) {
  return R"({"type":"x","a":)" + std::string(levels - 1, '[') + inside +
         std::string(levels - 1, ']') + "}";
}

std::string with_keys(std::size_t count) {
  std::string json = R"({"type":"x","o":{)";
  for (std::size_t i = 0; i < count; ++i) {
    json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  }
  return json + "}}";
}

}  // namespace

TEST_CASE("check: an event keeps its bytes and gives its type, session and id", "[event]") {
  const std::string json =
      R"({ "b":1.0e+2,"type":"user_input", "session_id":"s\u0031","content":"hi","x":{"k":-0},)"
      R"("event_id":"0190163D-8694-739b-aea5-966c26f8ad91" })";
  const NewEvent event = taken(" \t" + json + "\r\n");
  CHECK(event.payload == json);
  CHECK(event.type == "user_input");
  CHECK(event.session == "s1");
  CHECK(event.event_id == parse_uuid("0190163d-8694-739b-aea5-966c26f8ad91"));
}

TEST_CASE("check: spellings of numbers and strings survive", "[event]") {
  for (const std::string value :
       {"-0", "1E5", "0.10", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
        "123456789012345678901234567890", "9007199254740993.0", "1e-400", R"("\u0000")",
        R"("\ud83d\ude00")", R"("\/")", "\"\x7f\"", "\"\xf0\x9f\x98\x80\""}) {
    CAPTURE(value);
    const std::string json = R"({"type":"x","v":[)" + value + "," + value + R"(],"w":)" + value +
                             R"( ,"s":"123456789012345678901 \" 2"})";
    CHECK(taken(json).payload == json);
  }
}

TEST_CASE("check: what is no JSON is refused with the place", "[event]") {
  CHECK(reason("{\"type\":\"x\",\n \"a\": tru}").find("byte 23 (line 2, column 10)") == 0);
  CHECK(reason(R"({"type":"x",})").find("byte 13 (line 1, column 13)") == 0);
  for (const std::string& json : {
           ""s,
           " "s,
           "{"s,
           "}"s,
           R"({"type":"x")"s,
           R"({"type":"x"}})"s,
           R"({"type":"x"} x)"s,
           R"({"type":"x"}{"type":"y"})"s,
           R"({"type":"x","a":NaN})"s,
           R"({"type":"x","a":Infinity})"s,
           R"({"type":"x","a":-Infinity})"s,
           R"({"type":"x","a":1e400})"s,
           R"({"type":"x","a":-1e400})"s,
           R"({"type":"x","a":01})"s,
           R"({"type":"x","a":+1})"s,
           R"({"type":"x","a":.5})"s,
           R"({"type":"x","a":1.})"s,
           R"({"type":"x","a":0x1})"s,
           R"({"type":"x","a":'b'})"s,
           R"({type:"x"})"s,
           R"({"type":"x",})"s,
           R"({"type":"x","a":[1,]})"s,
           R"({"type":"x"/**/})"s,
           R"({"type":"x","a":"\ud800"})"s,
           R"({"type":"x","a":"\ude00"})"s,
           R"({"type":"x","a":"\ud800\u0041"})"s,
           R"({"type":"x","a":"\x41"})"s,
           "{\"type\":\"x\",\"a\":\"\n\"}"s,
           "{\"type\":\"x\"}\0"s,
           "\0{\"type\":\"x\"}"s,
           "{\"type\":\"x\",\"a\":\"\0\"}"s,
           "\xef\xbb\xbf{\"type\":\"x\"}"s,
           "\xff\xfe{\0"s,
           "{\"type\":\"x\"}\xc2\xa0"s,
       }) {
    CHECK(refusal(json) == Errc::not_json);
  }
}

TEST_CASE("check: JSON that is no object is refused", "[event]") {
  for (const char* json : {"[]", "[{\"type\":\"x\"}]", "1", "\"x\"", "null", "true", "-1.5"}) {
    CHECK(refusal(json) == Errc::not_an_object);
  }
}

TEST_CASE("check: what is no UTF-8 is refused", "[event]") {
  for (const char* bytes : {"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80", "\x80", "\xc3", "\xe2\x82"}) {
    CHECK(refusal(R"({"type":"x","a":")"s + bytes + "\"}") == Errc::bad_utf8);
    CHECK(refusal("{\"type\":\"x\",\""s + bytes + "\":1}") == Errc::bad_utf8);
  }
}

TEST_CASE("check: 64 levels are taken, 65 are not, and no depth harms", "[event]") {
  for (const std::string inside : {"", "1", "{}", R"({"k":1})"}) {
    CAPTURE(inside);
    const std::size_t own = inside.starts_with('{') ? 1 : 0;
    (void)taken(nested(limits::kEventDepthMax - own, inside));
    CHECK(refusal(nested(limits::kEventDepthMax + 1 - own, inside)) == Errc::too_deep);
  }
  for (const std::size_t levels : {100UL, 100'000UL, 500'000UL}) {
    CHECK(refusal(nested(levels, "")) == Errc::too_deep);
    CHECK(refusal(R"({"type":"x","a":)" + std::string(levels, '[')) == Errc::too_deep);
  }
}

TEST_CASE("check: an event of 1 MiB is taken, one byte more is not", "[event]") {
  const std::string head = R"({"type":"x","a":")";
  const std::string tail = "\"}";
  const std::string fill(limits::kEventBytesMax - head.size() - tail.size(), 'y');
  CHECK(taken(head + fill + tail).payload.size() == limits::kEventBytesMax);
  CHECK(refusal(head + fill + "z" + tail) == Errc::too_large);
  CHECK(taken("  " + head + fill + tail + "\n").payload.size() == limits::kEventBytesMax);
}

TEST_CASE("check: 10,000 keys in an object are taken, one more is not", "[event]") {
  (void)taken(with_keys(limits::kEventKeysMax));
  CHECK(refusal(with_keys(limits::kEventKeysMax + 1)) == Errc::not_json);
  CHECK(reason(with_keys(limits::kEventKeysMax + 1)).find("10000 keys") != std::string::npos);
}

TEST_CASE("check: a key twice at the top level is refused, however it is spelled", "[event]") {
  CHECK(refusal(R"({"type":"x","type":"x"})") == Errc::duplicate_key);
  CHECK(refusal(R"({"type":"x","ty\u0070e":"y"})") == Errc::duplicate_key);
  CHECK(refusal(R"({"type":"x","a":1,"b":2,"a":1})") == Errc::duplicate_key);
  CHECK(refusal(R"({"type":"x","":1,"":2})") == Errc::duplicate_key);
  CHECK(reason(R"({"type":"x","a":1,"a":1})").find(R"(key "a")") != std::string::npos);
  std::string many = R"({"type":"x")";
  for (int i = 0; i < 100; ++i) {
    many += ",\"k" + std::to_string(i) + "\":0";
  }
  (void)taken(many + "}");
  CHECK(refusal(many + R"(,"k50":1})") == Errc::duplicate_key);
  (void)taken(R"({"type":"x","o":{"a":1,"a":2}})");  // deeper it is the sender's affair
}

TEST_CASE("check: an event needs a type of 1 to 128 bytes", "[event]") {
  for (const char* json : {"{}", R"({"a":1})", R"({"type":1})", R"({"type":null})",
                           R"({"type":["x"]})", R"({"type":""})", R"({"Type":"x"})"}) {
    CHECK(refusal(json) == Errc::bad_type);
  }
  const std::string longest(limits::kTypeBytesMax, 't');
  CHECK(taken(R"({"type":")" + longest + "\"}").type == longest);
  CHECK(refusal(R"({"type":")" + longest + "t\"}") == Errc::bad_type);
}

TEST_CASE("check: a session is a string of at most 256 bytes, or null", "[event]") {
  const std::string longest(limits::kSessionBytesMax, 's');
  CHECK(taken(R"({"type":"x","session_id":")" + longest + "\"}").session == longest);
  CHECK(refusal(R"({"type":"x","session_id":")" + longest + "s\"}") == Errc::bad_field);
  CHECK(refusal(R"({"type":"x","session_id":7})") == Errc::bad_field);
  CHECK(taken(R"({"type":"x","session_id":null})").session.empty());
  CHECK(taken(R"({"type":"x"})").session.empty());
}

TEST_CASE("check: a hook without a session has that of its inner event", "[event]") {
  CHECK(taken(R"({"type":"hook","event":{"type":"stop","session_id":"in"}})").session == "in");
  CHECK(taken(R"({"type":"hook","session_id":null,"event":{"type":"stop","session_id":"in"}})")
            .session == "in");
  CHECK(taken(R"({"type":"hook","session_id":"out","event":{"type":"stop","session_id":"in"}})")
            .session == "out");
  CHECK(taken(R"({"type":"hook","event":{"type":"stop"}})").session.empty());
  CHECK(taken(R"({"type":"x","event":{"session_id":"in"}})").session.empty());
}

TEST_CASE("check: event_id is a UUID that is not nil, or null", "[event]") {
  for (const char* id : {R"("")", R"("x")", "1", "{}", R"("0190163d8694739baea5966c26f8ad91")",
                         R"("00000000-0000-0000-0000-000000000000")"}) {
    CHECK(refusal(R"({"type":"x","event_id":)"s + id + "}") == Errc::bad_event_id);
  }
  CHECK_FALSE(taken(R"({"type":"x","event_id":null})").event_id);
}

TEST_CASE("check: unknown types pass unless only known ones are asked for", "[event]") {
  const CheckOptions strict{UnknownTypes::refuse};
  (void)taken(R"({"type":"mine","session_id":"s","anything":[{}]})");
  CHECK(refusal(R"({"type":"mine"})", strict) == Errc::unknown_type);
  CHECK(check(R"({"type":"client_connected","client_id":"c"})", strict));
  const char* claude = R"({"type":"claude","session_id":"s","event":{"type":"brand_new"}})";
  CHECK(check(claude));
  CHECK(refusal(claude, strict) == Errc::unknown_type);
  CHECK(check(R"({"type":"hook","event":{"type":"brand_new"}})", strict));
}

TEST_CASE("check: threads check beside each other", "[event]") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &wrong] {
      const std::string good = R"({"type":"t)" + std::to_string(t) + "\"}";
      for (int i = 0; i < 500; ++i) {
        const auto event = check(good);
        wrong += event && event->type == "t" + std::to_string(t) ? 0 : 1;
        wrong += check(good + ",") ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}
