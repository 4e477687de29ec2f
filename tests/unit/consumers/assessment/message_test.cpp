// SPDX-License-Identifier: MIT
#include "consumers/assessment/message.hpp"

#include <string>

#include "base/limits.hpp"
#include "consumers/assessment/errc.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

Message read(std::string_view type, const std::string& payload) {
  auto message = read_message(type, payload);
  REQUIRE(message.has_value());
  return *std::move(message);
}

Message hook(const std::string& event) { return read("hook", R"({"event":)" + event + "}"); }

bool refuses(std::string_view type, std::string_view payload) {
  const auto message = read_message(type, payload);
  return !message && message.error().code == Errc::bad_payload;
}

TEST_CASE("message: what a person says is read from the stream and from the hook", "[assessment]") {
  const auto said = read("user_input", R"({"content":"a \"b\"\n"})");
  CHECK(said.kind == Kind::prompt);
  CHECK(said.text == "a \"b\"\n");
  CHECK(said.source == Message::Source::stream);
  const auto hooked = hook(R"({"type":"user_prompt_submit","prompt":"go on"})");
  CHECK(hooked.kind == Kind::prompt);
  CHECK(hooked.text == "go on");
  CHECK(hooked.source == Message::Source::hook);
}

TEST_CASE("message: a hook's tool failed if it was interrupted, says so or left with a status",
          "[assessment]") {
  const auto success = [](const std::string& response) {
    return hook(R"({"type":"post_tool_use","tool_name":"Bash","tool_response":)" + response + "}")
        .success;
  };
  CHECK(success(R"({"interrupted":true})") == Message::Success::failed);
  CHECK(success(R"({"is_error":true})") == Message::Success::failed);
  CHECK(success(R"({"exit_code":1})") == Message::Success::failed);
  CHECK(success(R"({"exitCode":-9})") == Message::Success::failed);
  CHECK(success(R"({"exit_code":0,"interrupted":false,"is_error":false})") == Message::Success::ok);
  CHECK(success(R"({"stdout":"","stderr":"error: everything is on fire"})") ==
        Message::Success::ok);
  CHECK(success(R"("plain text")") == Message::Success::ok);
  CHECK(success("null") == Message::Success::ok);
}

TEST_CASE("message: what assessment does not look at is nothing, whatever it holds",
          "[assessment]") {
  CHECK(read("session_created", "{").kind == Kind::none);
  CHECK(read("ci_build_finished", "not read").kind == Kind::none);
  CHECK(hook(R"({"type":"brand_new_hook","prompt":7})").kind == Kind::none);
  CHECK(read("claude", R"({"event":{"type":"thinking_delta","text":"x"}})").kind == Kind::none);
}

TEST_CASE("message: a payload that is no JSON or absurdly typed is an error", "[assessment]") {
  CHECK(refuses("user_input", ""));
  CHECK(refuses("user_input", "{"));
  CHECK(refuses("user_input", "[]"));
  CHECK(refuses("user_input", R"({"content":7})"));
  CHECK(refuses("user_input", R"({})"));
  CHECK(refuses("hook", R"({"event":[]})"));
  CHECK(refuses("hook", R"({"event":{"type":"user_prompt_submit","prompt":{}}})"));
  CHECK(refuses("claude", R"({"event":{"type":"tool_result","output":1,"is_error":"no"}})"));
  CHECK(refuses("claude", R"({"event":{"type":"turn_complete","usage":{"input_tokens":"x"}}})"));
  CHECK(refuses("session_removed", R"({"reason":[]})"));
  CHECK(refuses("user_input", std::string(100'000, '[')));
}

TEST_CASE("message: a whole number of any length does not hide an event", "[assessment]") {
  CHECK(read("user_input", R"({"type":"user_input","session_id":"s","content":"hi",)"
                           R"("n":123456789012345678901234567890})")
            .text == "hi");
}

TEST_CASE("message: a long text is cut between characters, a tool's at its beginning",
          "[assessment]") {
  std::string text = "a";
  while (text.size() < limits::kAssessedTextBytesMax) {
    text += "é";
  }
  const auto said = read("user_input", R"({"content":")" + text + R"("})");
  CHECK(said.text.size() == limits::kAssessedTextBytesMax - 1);
  CHECK(said.text.ends_with("é"));
  const auto answered =
      read("claude", R"({"event":{"type":"tool_result","id":"t","is_error":false,"output":")" +
                         text + R"( the end"}})");
  CHECK(answered.text.size() <= limits::kAssessedTextBytesMax);
  CHECK(answered.text.ends_with(" the end"));
}

}  // namespace
}  // namespace vibes::consumers::assessment
