// SPDX-License-Identifier: MIT
#include "cli/event_line.hpp"

#include <stdlib.h>
#include <time.h>

#include "event/check.hpp"
#include "support/catch.hpp"

using vibes::cli::LineStyle;
using vibes::cli::summarise;
using vibes::cli::Summary;

namespace {

struct Stored {
  explicit Stored(std::string_view json) : event(*vibes::event::check(json)) {
    view.time = *vibes::parse_rfc3339("2026-11-23T13:27:01.123456Z");
    view.type = event.type;
    view.session = event.session;
    view.payload = event.payload;
  }
  vibes::event::NewEvent event;
  vibes::event::EventView view;
};

std::string said(std::string_view json) {
  const Summary summary = summarise(Stored(json).view);
  return summary.label + (summary.is_failure ? "! " : ": ") + summary.text;
}

std::string line(std::string_view json, const LineStyle& style) {
  REQUIRE(::setenv("TZ", "UTC", 1) == 0);
  ::tzset();
  const Stored stored(json);
  std::string out;
  vibes::cli::append_event_line(out, stored.view, style);
  return out;
}

std::string hook(std::string_view inner) {
  return R"({"type":"hook","session_id":"s","event":)" + std::string(inner) + "}";
}
std::string claude(std::string_view inner) {
  return R"({"type":"claude","session_id":"s","event":)" + std::string(inner) + "}";
}

}  // namespace

TEST_CASE("summary: a tool call is its name and what it was asked to do", "[cli][summary]") {
  CHECK(
      said(hook(
          R"({"type":"pre_tool_use","tool_name":"Bash","tool_input":{"command":"ls -la","timeout":5}})")) ==
      "pre_tool_use: Bash: ls -la");
  CHECK(said(hook(
            R"({"type":"pre_tool_use","tool_name":"Read","tool_input":{"file_path":"/a/b"}})")) ==
        "pre_tool_use: Read: /a/b");
  CHECK(said(hook(R"({"type":"pre_tool_use","tool_name":"Odd","tool_input":{"x":[1,2]}})")) ==
        R"(pre_tool_use: Odd: {"x":[1,2]})");
  CHECK(said(hook(R"({"type":"pre_tool_use","tool_name":"None","tool_input":{}})")) ==
        "pre_tool_use: None");
}

TEST_CASE("summary: a result shows its first words, and a failure is one", "[cli][summary]") {
  CHECK(
      said(hook(
          R"({"type":"post_tool_use","tool_name":"Bash","tool_response":{"stdout":"a\nb","stderr":""}})")) ==
      "post_tool_use: Bash: a b");
  CHECK(
      said(hook(
          R"({"type":"post_tool_use","tool_name":"Bash","tool_response":{"stderr":"no such file","exit_code":2}})")) ==
      "post_tool_use! Bash: failed: no such file");
  CHECK(said(hook(R"({"type":"post_tool_use","tool_name":"Read","tool_response":"text"})")) ==
        "post_tool_use: Read: text");
  CHECK(said(claude(R"({"type":"tool_result","id":"t","output":"boom","is_error":true})")) ==
        "tool_result! failed: boom");
  CHECK(said(claude(R"({"type":"error","message":"overloaded","recoverable":true})")) ==
        "error! overloaded");
}

TEST_CASE("summary: prompts, usage and permissions read as sentences", "[cli][summary]") {
  CHECK(said(hook(R"({"type":"user_prompt_submit","prompt":"fix\n  the bug"})")) ==
        "user_prompt_submit: fix the bug");
  CHECK(said(R"({"type":"user_input","session_id":"s","content":"hello"})") == "user_input: hello");
  CHECK(said(claude(R"({"type":"turn_complete","usage":{"input_tokens":12,"output_tokens":3}})")) ==
        "turn_complete: 12 tokens in, 3 out");
  CHECK(said(claude(
            R"({"type":"permission_request","id":"r","tool":"Bash","description":"rm -rf"})")) ==
        "permission_request: Bash: rm -rf");
  CHECK(
      said(
          R"({"type":"permission_response","session_id":"s","request_id":"r1","approved":false})") ==
      "permission_response: r1 denied");
}

TEST_CASE("summary: an assessment says how it goes and why", "[cli][summary]") {
  CHECK(said(R"({"type":"assessment","tier":"lightweight","session_id":"s","kind":"prompt",)"
             R"("signals":[{"signal":"negative","pattern":"error","confidence":0.8},)"
             R"({"signal":"tool_failure","tool_name":"Bash"}],)"
             R"("frustration":0.12,"breaker":{"state":"open"}})") ==
        "assessment: prompt, frustration 0.12, breaker open: negative error, tool_failure Bash");
  CHECK(said(R"({"type":"assessment","tier":"heavy","session_id":"s","summary":"success, steady",)"
             R"("frustration":0.1})") == "assessment: heavy: success, steady");
  CHECK(said(R"({"type":"assessment","tier":"mine","session_id":"s"})") == "assessment: mine");
  CHECK(said(R"({"type":"assessment","tier":"t","session_id":"s","kind":1,"signals":"x",)"
             R"("frustration":0.5,"breaker":7})") == "assessment: 1, frustration 0.5");
}

TEST_CASE("summary: a delivery says what was given and by which hook", "[cli][summary]") {
  CHECK(said(R"({"type":"intervention_delivered","session_id":"s","intervention_id":"i",)"
             R"("hook_event_id":"h"})") ==
        "intervention_delivered: intervention i was given to the agent by hook h");
}

TEST_CASE("summary: unknown types and hooks show what they have", "[cli][summary]") {
  CHECK(said(R"({"type":"note","text":"hello"})") == "note: hello");
  CHECK(said(R"({"type":"deploy","session_id":"s","ok":true,"to":"prod"})") ==
        R"(deploy: {"ok":true,"to":"prod"})");
  CHECK(said(R"({"type":"bare"})") == "bare: ");
  CHECK(said(hook(R"({"type":"task_created","cwd":"/x","task":"t"})")) ==
        R"(task_created: {"task":"t"})");
}

TEST_CASE("line: time, session, label and summary stand in columns", "[cli][line]") {
  CHECK(line(R"({"type":"note","session_id":"3535585c-1cb7-459f","text":"hi"})", {}) ==
        "Nov 23 13:27:01.123  3535585c  note                   hi\n");
  CHECK(line(R"({"type":"bare"})", {}) == "Nov 23 13:27:01.123  -         bare\n");
}

TEST_CASE("line: it fits the terminal and cannot drive it", "[cli][line]") {
  LineStyle style;
  style.escape = true;
  style.columns = 63;
  CHECK(line(R"({"type":"note","text":"\u001b[2J0123456789012345678901234567890"})", style) ==
        "Nov 23 13:27:01.123  -         note                   \\x1b[2J0…\n");
  style.columns = 10;
  CHECK(line(R"({"type":"note","text":"x"})", style) == "Nov 23 13:27:01.123  -         note\n");
}

TEST_CASE("line: colour is only where it was asked for, and a failure is red", "[cli][line]") {
  LineStyle style;
  style.color = true;
  const auto failed = claude(R"({"type":"error","message":"m","recoverable":true})");
  CHECK(line(failed, style).find("\x1b[31mm\x1b[0m") != std::string::npos);
  CHECK(line(failed, {}).find('\x1b') == std::string::npos);
}
