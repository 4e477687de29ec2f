// SPDX-License-Identifier: MIT
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "event/check.hpp"
#include "event/check_raw.hpp"
#include "event/errc.hpp"
#include "event/json_verdict.hpp"
#include "support/catch.hpp"

using vibes::Result;
using namespace vibes::event;
using namespace std::string_view_literals;

namespace {

bool is_grammar(const std::error_code& code) {
  return code == Errc::not_json || code == Errc::not_an_object || code == Errc::bad_utf8 ||
         code == Errc::too_deep || code == Errc::duplicate_key;
}

/// Into a heap of other events an event comes as it comes alone.
void agree_packed(const std::string& text, const Result<NewEvent>& alone,
                  const CheckOptions& options) {
  PackedEvents events;
  events.add({"{}", "before", "", std::nullopt});
  const auto added = check_into(events, text, options);
  REQUIRE(added.has_value() == alone.has_value());
  REQUIRE(events.size() == (added ? 2 : 1));
  if (!added) {
    CHECK(added.error().message() == alone.error().message());
    return;
  }
  CHECK(events[1].payload == alone->payload);
  CHECK(events[1].type == alone->type);
  CHECK(events[1].session == alone->session);
  CHECK(events[1].event_id == alone->event_id);
}

/// What the small program says must be what every other says, word for word.
void agree_without_parser(const std::string& text, const CheckOptions& options) {
  const auto parsed = check(text, options);
  const auto raw = check_raw(text, options);
  INFO(text);
  agree_packed(text, parsed, options);
  REQUIRE(raw.has_value() == parsed.has_value());
  if (!raw) {
    CHECK(raw.error().message() == parsed.error().message());
    return;
  }
  CHECK(raw->payload == parsed->payload);
  CHECK(raw->type == parsed->type);
  CHECK(raw->session == parsed->session);
  CHECK(raw->event_id == parsed->event_id);
}

/// check() and the token reader must take the same texts: whatever they disagree on, one of them is
/// wrong about.
void agree(const std::string& text) {
  agree_without_parser(text, {});
  agree_without_parser(text, {UnknownTypes::refuse, KnownFields::check});
  const auto fast = check(text);
  const auto slow = judge_json(text);
  const bool fast_takes = fast.has_value() || !is_grammar(fast.error().code);
  INFO(text);
  if (!fast.has_value()) {
    INFO(fast.error().message());
    CHECK(fast.error().context.find("disagree") == std::string::npos);
  }
  CHECK(fast_takes == slow.has_value());
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all{
      R"({"type":"x","a":[1,2.5,-3e10,true,false,null,"s\n\u00e9\ud83d\ude00",{}],"b":{"c":[[]]}})",
      R"({"type":"hook","session_id":"s","event":{"type":"pre_tool_use","tool_name":"Bash","tool_input":{"command":"ls -la \"x\""}}})",
      "{\"type\":\"y\",\n\t\"\xc3\xa9\": \"\xf0\x9f\x98\x80\",\"n\":12345678901234567890123}",
      R"({"type":"z","n":18446744073709551616,"m":-9223372036854775809,"k":1e308,"":0})",
      R"({"type":"claude","session_id":"s","event":{"type":"turn_complete","usage":{"input_tokens":-0,"output_tokens":12345678901234567890123}}})",
      R"({"type":"claude","session_id":"s","event":{"type":"turn_complete","usage":{"input_tokens":1.5,"output_tokens":1e2}}})",
      R"({"\u0074ype":"claude","session_id":"\"\u00e9\\","event":{"type":"tool_result","type":7,"id":"a","output":"{}[],:","is_error":true}})",
      R"({"type":"session_removed","session_id" : "s" , "reason":"killed","event_id":"018f3b1c-7a10-7cc0-8000-000000000001"})",
      R"({"type":"hook","session_id":null,"event":{"session_id":"inner","type":"subagent_stop","agent_id":null}})",
      R"({"type":"d","a":)" + std::string(62, '[') + std::string(62, ']') + "}",
  };
  return all;
}

}  // namespace

TEST_CASE("check: both ways agree on every prefix and every missing byte", "[event]") {
  for (const std::string& seed : seeds()) {
    for (std::size_t i = 0; i < seed.size(); ++i) {
      agree(seed.substr(0, i));
      agree(seed.substr(0, i) + seed.substr(i + 1));
    }
  }
}

TEST_CASE("check: both ways agree on 20,000 mutants", "[event]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  constexpr std::string_view bytes = "{}[]\",:\\ue019.-+E tfn\0\x80\xff\xc3\n/'"sv;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seeds()[random() % seeds().size()];
    for (auto changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          text.insert(at, 1, bytes[random() % bytes.size()]);
          break;
        case 2:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
          break;
      }
    }
    agree(text);
  }
}
