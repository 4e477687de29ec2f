// SPDX-License-Identifier: MIT
#include "hooks/hook_answer.hpp"

#include "hooks/hook_event.hpp"
#include "support/catch.hpp"

namespace vibes::hooks {
namespace {

TEST_CASE("hook answer: only a prompt's and a session start's may carry context", "[hooks]") {
  CHECK(carries_context("user_prompt_submit"));
  CHECK(carries_context("session_start"));
  for (const char* name : {"pre_tool_use", "post_tool_use", "stop", "session_end", "unknown", ""}) {
    CHECK_FALSE(carries_context(name));
  }
}

TEST_CASE("hook answer: it is what the agent reads, whatever the text", "[hooks]") {
  CHECK(context_answer("user_prompt_submit", "a \"b\"\n\nü\x01") ==
        "{\"hookSpecificOutput\":{\"hookEventName\":\"UserPromptSubmit\","
        "\"additionalContext\":\"a \\\"b\\\"\\n\\nü\\u0001\"}}");
  CHECK(context_answer("session_start", "") ==
        R"({"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":""}})");
}

TEST_CASE("hook: its events know its name", "[hooks]") {
  const auto name_of = [](std::string_view payload) {
    return make_events({.payload = payload, .session = {}, .id = std::nullopt}).name;
  };
  CHECK(name_of(R"({"hook_event_name":"UserPromptSubmit"})") == "user_prompt_submit");
  CHECK(name_of("no json").empty());
}

}  // namespace
}  // namespace vibes::hooks
