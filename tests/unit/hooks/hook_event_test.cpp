// SPDX-License-Identifier: MIT
#include "hooks/hook_event.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/base64.hpp"
#include "event/check.hpp"
#include "hooks/hook_payload.hpp"
#include "support/catch.hpp"

namespace vibes::hooks {
namespace {

using nlohmann::json;

const Uuid kId = *parse_uuid("0199e2b0-0000-7000-8000-000000000001");

HookEvents events_of(std::string_view payload, std::string_view session = {}) {
  HookEvents events = make_events({.payload = payload, .session = session, .id = kId});
  CHECK(event::check(events.hook.payload));
  CHECK(events.hook.payload.find('\n') == std::string::npos);
  return events;
}

TEST_CASE("hook: a payload is wrapped byte for byte, its type the snake case of the hook's name",
          "[hooks]") {
  const HookEvents events = events_of(
      R"({"session_id":"a1","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"n":1.50}})");
  CHECK(
      events.hook.payload ==
      R"({"type":"hook","session_id":"a1","event":{"type":"pre_tool_use","session_id":"a1","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"n":1.50}}})");
  CHECK(events.hook.type == "hook");
  CHECK(events.hook.session == "a1");
  CHECK(events.hook.event_id == kId);
  CHECK(!events.link);
}

TEST_CASE("hook: names become snake case", "[hooks]") {
  CHECK(snake_case("Stop") == "stop");
  CHECK(snake_case("UserPromptSubmit") == "user_prompt_submit");
  CHECK(snake_case("already_snake") == "already_snake");
  CHECK(snake_case("Mixed_Case") == "mixed_case");
  CHECK(snake_case("").empty());
}

TEST_CASE("hook: unknown hooks, payloads without a name and with a type of their own pass",
          "[hooks]") {
  const auto type_of = [](std::string_view payload) {
    return json::parse(events_of(payload).hook.payload)["event"]["type"].get<std::string>();
  };
  CHECK(type_of(R"({"hook_event_name":"BrandNewHook"})") == "brand_new_hook");
  CHECK(type_of("{}") == "unknown");
  CHECK(type_of(R"({"x":1})") == "unknown");
  CHECK(type_of(R"({"type":"agent-turn-complete","hook_event_name":"Stop"})") ==
        "agent-turn-complete");
}

TEST_CASE("hook: line breaks between tokens and space around a payload are no matter", "[hooks]") {
  CHECK(
      events_of(" \r\n{\"hook_event_name\":\"Stop\",\n\"text\":\"a\\nb\"\n}\n").hook.payload ==
      R"({"type":"hook","session_id":null,"event":{"type":"stop","hook_event_name":"Stop", "text":"a\nb" }})");
}

TEST_CASE("hook: the event_id follows from session, hook and tool_use_id where there is one",
          "[hooks]") {
  const auto id_of = [](std::string_view payload) { return *events_of(payload).hook.event_id; };
  const Uuid pre = id_of(R"({"session_id":"a","hook_event_name":"PreToolUse","tool_use_id":"t1",)"
                         R"("tool_name":"Bash","tool_input":{}})");
  CHECK(pre != kId);
  CHECK(pre == id_of(R"({"session_id":"a","hook_event_name":"PreToolUse","tool_use_id":"t1",)"
                     R"("tool_name":"Bash","tool_input":{}})"));
  CHECK(pre != id_of(R"({"session_id":"b","hook_event_name":"PreToolUse","tool_use_id":"t1",)"
                     R"("tool_name":"Bash","tool_input":{}})"));
  CHECK(pre != id_of(R"({"session_id":"a","hook_event_name":"PostToolUse","tool_use_id":"t1",)"
                     R"("tool_name":"Bash","tool_response":{}})"));
  CHECK(pre != id_of(R"({"session_id":"a","hook_event_name":"PreToolUse","tool_use_id":"t2",)"
                     R"("tool_name":"Bash","tool_input":{}})"));
  CHECK(id_of(R"({"session_id":"a","hook_event_name":"Stop"})") == kId);
}

TEST_CASE("hook: an id by content tells two calls under one tool_use_id apart", "[hooks]") {
  const auto hook_of = [](std::string_view payload) { return events_of(payload).hook; };
  const auto first = hook_of(R"({"hook_event_name":"X","tool_use_id":"t","n":1})");
  const auto second = hook_of(R"({"hook_event_name":"X","tool_use_id":"t","n":2})");
  CHECK(first.event_id == second.event_id);
  CHECK(id_by_content(first) != id_by_content(second));
  CHECK(id_by_content(first) == id_by_content(first));
}

TEST_CASE("hook: the terminal's session is the event's, and is linked with the agent's own",
          "[hooks]") {
  const HookEvents events = events_of(R"({"session_id":"a1","hook_event_name":"Stop"})", "pty-1");
  CHECK(events.hook.session == "pty-1");
  REQUIRE(events.link);
  CHECK(
      events.link->payload ==
      R"({"type":"session_linked","session_id":"pty-1","linked_session_id":"a1","relation":"agent"})");
  CHECK(events.link->session == "pty-1");
  const HookEvents again =
      events_of(R"({"session_id":"a1","hook_event_name":"SessionEnd"})", "pty-1");
  CHECK(again.link->event_id == events.link->event_id);
  CHECK(events_of(R"({"session_id":"a2"})", "pty-1").link->event_id != events.link->event_id);

  CHECK(!events_of(R"({"session_id":"pty-1"})", "pty-1").link);
  CHECK(!events_of(R"({"hook_event_name":"Stop"})", "pty-1").link);
  CHECK(events_of(R"({"hook_event_name":"Stop"})", "pty-1").hook.session == "pty-1");
}

TEST_CASE("hook: a terminal's session id that can be none is ignored", "[hooks]") {
  const std::string long_id(limits::kSessionBytesMax + 1, 'x');
  CHECK(events_of(R"({"session_id":"a1"})", long_id).hook.session == "a1");
  CHECK(events_of("not json", long_id).hook.session.empty());
}

TEST_CASE("hook: what is no payload becomes hook_unparsed with its bytes", "[hooks]") {
  const std::string bytes("\x00\xff not json", 11);
  for (const std::string& payload :
       {std::string("not json"), std::string(), bytes, std::string("[1]"), std::string("7"),
        std::string(R"({"a":1},"x":{"b":2})"), std::string(R"({"a":1)"),
        std::string(R"({"a":1,"a":2})"), std::string(R"({"type":7})"),
        std::string(R"({"hook_event_name":"PreToolUse"})"),
        std::string("{\"a\":") + std::string(100, '[') + std::string(100, ']') + "}"}) {
    INFO(payload);
    const HookEvents events = events_of(payload, "pty-1");
    const json stored = json::parse(events.hook.payload);
    CHECK(stored["type"] == "hook_unparsed");
    CHECK(stored["session_id"] == "pty-1");
    CHECK(!stored["reason"].get<std::string>().empty());
    CHECK(stored["bytes"] == payload.size());
    CHECK(event::decode_base64(stored["raw"].get<std::string>()) == payload);
    CHECK(events.hook.event_id == kId);
    CHECK(!events.link);
  }
}

TEST_CASE("hook: of a payload too large for an event long members keep their beginning",
          "[hooks]") {
  const std::string output = "\"\xc3\xa9" + std::string(3 * limits::kMiB, 'x') + '"';
  const std::string payload =
      R"({"session_id":"a1","hook_event_name":"PostToolUse","tool_name":"Bash",
          "tool_use_id":"t1", "tool_response" : )" +
      output + R"(,"cwd":"/p"})";
  const HookEvents events = events_of(payload);
  const json inner = json::parse(events.hook.payload)["event"];
  CHECK(inner["type"] == "post_tool_use");
  CHECK(inner["cwd"] == "/p");
  CHECK(inner["tool_response"] == output.substr(0, limits::kHookMemberBytesKept));
  CHECK(inner["vibes_shortened"] == json{{"tool_response", output.size()}});
  CHECK(events.hook.event_id != kId);
}

TEST_CASE("hook: a cut goes between two characters", "[hooks]") {
  std::string text(limits::kHookMemberBytesKept - 2, 'x');  // with its quote one byte is left
  text += "\xe2\x82\xac";
  text.append(limits::kEventBytesMax, 'y');
  const json inner =
      json::parse(events_of(R"({"message":")" + text + R"("})").hook.payload)["event"];
  CHECK(inner["message"] == '"' + text.substr(0, limits::kHookMemberBytesKept - 2));
}

TEST_CASE("hook: the largest payload that an event can hold is kept whole", "[hooks]") {
  const std::string start = R"({"hook_event_name":"X","data":")";
  const std::size_t room = limits::kEventBytesMax - 4 * limits::kKiB;
  const std::string payload = start + std::string(room - start.size() - 2, 'x') + "\"}";
  CHECK(payload.size() == room);
  CHECK(events_of(payload, std::string(limits::kSessionBytesMax, '\x01'))
            .hook.payload.find("vibes_shortened") == std::string::npos);
  CHECK(events_of(payload + ' ').hook.payload.find("vibes_shortened") == std::string::npos);
}

TEST_CASE("hook: a payload that stays too large is kept by its first bytes", "[hooks]") {
  std::string payload = R"({"a":0)";
  for (int i = 0; i < 200; ++i) {
    payload += ",\"k" + std::to_string(i) + "\":\"" + std::string(8 * limits::kKiB, 'x') + '"';
  }
  payload += '}';
  const json stored = json::parse(events_of(payload).hook.payload);
  CHECK(stored["type"] == "hook_unparsed");
  CHECK(stored["bytes"] == payload.size());
  CHECK(event::decode_base64(stored["raw"].get<std::string>()) ==
        payload.substr(0, limits::kHookRawBytesKept));
}

}  // namespace
}  // namespace vibes::hooks
