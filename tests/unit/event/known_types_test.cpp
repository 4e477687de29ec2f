// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "event/check.hpp"
#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes::event;

namespace {

/// A valid event and the members without which, or with a number instead, it is not valid.
struct Sample {
  const char* json;
  std::vector<std::string> required;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {R"({"type":"user_input","session_id":"s","content":"c","source":"cli"})",
       {"session_id", "content"}},
      {R"({"type":"permission_response","session_id":"s","request_id":"r","approved":true})",
       {"session_id", "request_id", "approved"}},
      {R"({"type":"session_created","session_id":"s","name":"n"})", {"session_id"}},
      {R"({"type":"session_created","session_id":"s","name":null})", {"session_id"}},
      {R"({"type":"session_state_changed","session_id":"s","state":"Running"})",
       {"session_id", "state"}},
      {R"({"type":"session_removed","session_id":"s","reason":"killed"})",
       {"session_id", "reason"}},
      {R"({"type":"session_removed","session_id":"s","reason":"session_finished"})", {"reason"}},
      {R"({"type":"session_removed","session_id":"s","reason":"owner_disconnected"})", {"reason"}},
      {R"({"type":"ownership_transferred","session_id":"s","new_owner_id":"o"})",
       {"session_id", "new_owner_id"}},
      {R"({"type":"session_linked","session_id":"s","linked_session_id":"a","relation":"agent"})",
       {"session_id", "linked_session_id"}},
      {R"({"type":"hook_unparsed","session_id":null,"reason":"r","bytes":1,"raw":"eA=="})",
       {"reason", "raw"}},
      {R"({"type":"client_connected","client_id":"c"})", {"client_id"}},
      {R"({"type":"client_disconnected","client_id":"c"})", {"client_id"}},
      {R"({"type":"tunnel_state_changed","state":"up","url":"https://x"})", {"state"}},
      {R"({"type":"tunnel_state_changed","state":"down"})", {"state"}},
      {R"({"type":"assessment","session_id":"s","tier":"medium"})", {"tier"}},
      {R"({"type":"intervention","session_id":"s","kind":"k","reason":"r","message":"m"})",
       {"session_id", "kind", "reason", "message"}},
      {R"({"type":"intervention_delivered","session_id":"s","intervention_id":"i","hook_event_id":"h"})",
       {"session_id", "intervention_id", "hook_event_id"}},
      {R"({"type":"notification","session_id":null})", {}},
      {R"({"type":"claude","session_id":"s","event":{"type":"text_delta","text":"t"}})",
       {"session_id", "event", "text"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"thinking_delta","text":"t"}})",
       {"text"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"tool_use_start","id":"i","name":"n"}})",
       {"id", "name"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"tool_input_delta","id":"i","delta":"d"}})",
       {"id", "delta"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"tool_result","id":"i","output":"o","is_error":false}})",
       {"id", "output", "is_error"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"turn_start"}})", {}},
      {R"({"type":"claude","session_id":"s","event":{"type":"turn_complete","usage":{"input_tokens":1,"output_tokens":2}}})",
       {"usage", "input_tokens", "output_tokens"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"error","message":"m","recoverable":true}})",
       {"message", "recoverable"}},
      {R"({"type":"claude","session_id":"s","event":{"type":"permission_request","id":"i","tool":"t","description":"d"}})",
       {"id", "tool", "description"}},
      {R"({"type":"hook","session_id":"s","event":{"type":"pre_tool_use","tool_name":"Bash","tool_input":{"command":"ls"}}})",
       {"event", "tool_name", "tool_input"}},
      {R"({"type":"hook","event":{"type":"post_tool_use","tool_name":"Bash","tool_response":"text"}})",
       {"event", "tool_name", "tool_response"}},
      {R"({"type":"hook","event":{"type":"notification","message":"m"}})", {"message"}},
      {R"({"type":"hook","event":{"type":"subagent_stop","agent_id":"a"}})", {}},
      {R"({"type":"hook","event":{"type":"subagent_stop"}})", {}},
      {R"({"type":"hook","event":{"type":"session_end","reason":"x","what_next":[1]}})", {}},
      {R"({"type":"hook","session_id":null,"event":{"type":"post_tool_use_failure"}})", {}},
  };
  return all;
}

std::string renamed(std::string json, const std::string& member) {
  const std::size_t at = json.find('"' + member + "\":");
  REQUIRE(at != std::string::npos);
  return json.replace(at + 1, member.size(), "renamed");
}

}  // namespace

TEST_CASE("known types: the events of the protocol pass", "[event]") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.json);
    const auto checked = check(sample.json, {UnknownTypes::refuse});
    CHECK(checked);
    CHECK((!checked || checked->payload == sample.json));
  }
}

TEST_CASE("known types: a required member may not be missing", "[event]") {
  for (const Sample& sample : samples()) {
    for (const std::string& member : sample.required) {
      const std::string json = renamed(sample.json, member);
      CAPTURE(json);
      const auto checked = check(json);
      REQUIRE_FALSE(checked);
      CHECK(checked.error().code == Errc::bad_field);
      CHECK(checked.error().context.find('"' + member + "\" is missing") != std::string::npos);
    }
  }
}

TEST_CASE("known types: a member of the wrong kind is refused and named", "[event]") {
  const auto refused = [](const char* json, const char* field) {
    CAPTURE(json);
    const auto checked = check(json);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Errc::bad_field);
    CHECK(checked.error().context.find(field) != std::string::npos);
  };
  refused(R"({"type":"client_connected","client_id":1})", "client_id");
  refused(R"({"type":"session_created","session_id":null})", "session_id");
  refused(R"({"type":"session_created","session_id":"s","name":1})", "name");
  refused(R"({"type":"session_removed","session_id":"s","reason":"bored"})", "killed");
  refused(R"({"type":"user_input","session_id":"s","content":"c","source":"fax"})", "web_ui");
  refused(R"({"type":"permission_response","session_id":"s","request_id":"r","approved":"yes"})",
          "approved");
  refused(R"({"type":"claude","session_id":"s","event":"text"})", "event");
  refused(R"({"type":"claude","session_id":"s","event":{}})", "event.type");
  refused(R"({"type":"hook","event":{"type":7}})", "event.type");
  refused(R"({"type":"hook","session_id":7,"event":{"type":"stop"}})", "session_id");
  refused(
      R"({"type":"claude","session_id":"s","event":{"type":"tool_result","id":"i","output":{},"is_error":false}})",
      "claude/tool_result: \"output\"");
  for (const char* tokens : {"\"1\"", "-1", "1.5", "null"}) {
    const std::string json =
        R"({"type":"claude","session_id":"s","event":{"type":"turn_complete","usage":{"output_tokens":1,"input_tokens":)" +
        std::string(tokens) + "}}}";
    refused(json.c_str(), "input_tokens");
  }
}

TEST_CASE("known types: members the protocol does not name always pass", "[event]") {
  CHECK(check(
      R"({"type":"hook","new":1,"event":{"type":"stop","stop_hook_active":true,"cwd":null,"x":{"y":[]}}})"));
  CHECK(check(
      R"({"type":"claude","session_id":"s","more":0,"event":{"type":"turn_start","more":{}}})"));
}
