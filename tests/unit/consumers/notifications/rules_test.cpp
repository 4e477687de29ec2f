// SPDX-License-Identifier: MIT
#include <string>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "consumers/notifications/stall_watch.hpp"
#include "consumers/notifications/tag_filter.hpp"
#include "consumers/notifications/trigger.hpp"
#include "event/check.hpp"
#include "event/payload.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kStartUs = 1'700'000'000'000'000;

/// An event as the log would give it, `after` the start.
struct Stored {
  Stored(const std::string& json_text, std::chrono::seconds after = 0s) {
    auto checked = event::check(json_text);
    REQUIRE(checked);
    kept = *std::move(checked);
    payload = reader.read(kept.payload);
    view = {Offset(7), random_uuid(), Timestamp{kStartUs + after.count() * 1'000'000},
            kept.type, kept.session,  kept.payload};
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;

  event::NewEvent kept;
  event::PayloadReader reader;
  event::PayloadValue payload;
  event::EventView view;
};

std::optional<Notification> fires(const std::string& json_text, TriggersOff off = {}) {
  const Stored stored(json_text);
  auto fired = notification_for(stored.view, stored.payload, off);
  CHECK((!fired || concerns_notifications(stored.view)));
  return fired;
}

struct Case {
  const char* trigger;
  const char* event;
  const char* title;
  const char* body;
  const char* tag;
  const char* event_type;
};

constexpr Case kCases[] = {
    {"permission_request",
     R"({"type":"claude","session_id":"s","event":{"type":"permission_request","id":"1","tool":"Bash","description":"d"}})",
     "Claude needs approval", "Permission requested for Bash", "permission-s", "permission_needed"},
    {"hook_permission_request",
     R"({"type":"hook","session_id":"s","event":{"type":"permission_request","tool_name":"Edit"}})",
     "Claude needs approval", "Permission requested for Edit", "permission-s", "permission_needed"},
    {"hook_permission_prompt",
     R"({"type":"hook","session_id":"s","event":{"type":"notification","message":"may I?","notification_type":"permission_prompt"}})",
     "Claude needs approval", "may I?", "permission-s", "permission_needed"},
    {"hook_idle_prompt",
     R"({"type":"hook","session_id":"s","event":{"type":"notification","message":"idle","notification_type":"idle_prompt"}})",
     "Claude waits for you", "idle", "idle-s", "session_idle"},
    {"error",
     R"({"type":"claude","session_id":"s","event":{"type":"error","message":"boom","recoverable":false}})",
     "Session failed", "boom", "error-s", "session_error"},
    {"completed", R"({"type":"session_state_changed","session_id":"s","state":"Completed"})",
     "Session completed", "Claude finished the task", "completed-s", "session_completed"},
    {"completed", R"({"type":"session_state_changed","session_id":"s","state":"Finished"})",
     "Session completed", "Claude finished the task", "completed-s", "session_completed"},
    {"failed", R"({"type":"session_state_changed","session_id":"s","state":"Failed: oom"})",
     "Session failed", "Failed: oom", "error-s", "session_error"},
    {"hook_stop", R"({"type":"hook","session_id":"s","event":{"type":"stop"}})", "Turn finished",
     "Claude has answered", "stop-s", "turn_finished"},
    {"intervention",
     R"({"type":"intervention","session_id":"s","kind":"k","reason":"r","message":"look"})",
     "Claude may need help", "look", "intervention-s", "intervention"},
    {"stalled", R"({"type":"session.stalled","session_id":"s","since":"2026-01-01T00:00:00Z"})",
     "Session stalled", "Nothing has happened since 2026-01-01T00:00:00Z", "stalled-s",
     "session_stalled"},
};

}  // namespace

TEST_CASE("trigger: every trigger says what it is about, and can be switched off",
          "[notifications]") {
  for (const Case& expected : kCases) {
    CAPTURE(expected.event);
    const auto got = fires(expected.event);
    REQUIRE(got);
    CHECK(got->trigger == expected.trigger);
    CHECK(got->title == expected.title);
    CHECK(got->body == expected.body);
    CHECK(got->tag == expected.tag);
    CHECK(got->event_type == expected.event_type);
    CHECK(got->url == "/session/s");
    CHECK(got->offset == Offset(7));
    const auto trigger = parse_trigger(expected.trigger);
    REQUIRE(trigger);
    CHECK(!fires(expected.event, TriggersOff().set(static_cast<std::size_t>(*trigger))));
    const bool by_default = fires(expected.event, triggers_off_by_default()).has_value();
    CHECK(by_default == (expected.trigger != std::string_view("hook_stop")));
  }
  CHECK(!parse_trigger("everything"));
}

TEST_CASE("trigger: what is not a trigger fires nothing, whatever its members hold",
          "[notifications]") {
  for (
      const char* event :
      {R"({"type":"claude","session_id":"s","event":{"type":"text_delta","text":"error"}})",
       R"({"type":"hook","session_id":"s","event":{"type":"notification","message":"m"}})",
       R"({"type":"hook","session_id":"s","event":{"type":"notification","message":"m","notification_type":7}})",
       R"({"type":"session_state_changed","session_id":"s","state":"Running"})",
       R"({"type":"hook","session_id":null,"event":{"type":"subagent_stop"}})"}) {
    CAPTURE(event);
    CHECK(!fires(event));
  }
}

TEST_CASE("trigger: a long text is cut between characters", "[notifications]") {
  std::string message = "x";
  while (message.size() < 2 * limits::kNotificationTextBytesMax) {
    message += "ü";
  }
  const auto got =
      fires(R"({"type":"claude","session_id":"s","event":{"type":"error","message":")" + message +
            R"(","recoverable":false}})");
  REQUIRE(got);
  CHECK(got->body.size() == limits::kNotificationTextBytesMax - 1);
  CHECK(message.starts_with(got->body));
}

TEST_CASE("TagFilter: a tag is sent once within 30 s, by the events' times", "[notifications]") {
  TagFilter filter;
  const auto judge = [&](const char* tag, std::chrono::milliseconds at) {
    Notification n;
    n.tag = tag;
    n.time = {kStartUs + at.count() * 1'000};
    return filter.judge(n, n.time);
  };
  CHECK(judge("a", 0s) == TagFilter::Verdict::send);
  CHECK(judge("a", 1s) == TagFilter::Verdict::repeated);
  CHECK(judge("b", 1s) == TagFilter::Verdict::send);
  CHECK(judge("a", 29'999ms) == TagFilter::Verdict::repeated);
  CHECK(judge("a", 30s) == TagFilter::Verdict::send);
  CHECK(judge("b", 30s) == TagFilter::Verdict::repeated);
  CHECK(judge("a", 59s) == TagFilter::Verdict::repeated);
}

TEST_CASE("TagFilter: what happened more than 10 minutes ago is too old", "[notifications]") {
  TagFilter filter;
  Notification n;
  n.tag = "a";
  n.time = {kStartUs};
  CHECK(filter.judge(n, {kStartUs + 600'000'001}) == TagFilter::Verdict::too_old);
  CHECK(filter.judge(n, {kStartUs + 600'000'000}) == TagFilter::Verdict::send);
}

namespace {

constexpr const char* kPrompt = R"({"type":"user_input","session_id":"s","content":"go"})";
constexpr const char* kTool =
    R"({"type":"hook","session_id":"s","event":{"type":"pre_tool_use","tool_name":"Bash","tool_input":{},"tool_use_id":"t1"}})";
constexpr const char* kToolDone =
    R"({"type":"hook","session_id":"s","event":{"type":"post_tool_use","tool_name":"Bash","tool_response":{},"tool_use_id":"t1"}})";
constexpr const char* kStop = R"({"type":"hook","session_id":"s","event":{"type":"stop"}})";

struct Watch {
  void see(const char* event, std::chrono::seconds at) {
    const Stored stored(event, at);
    const bool look = concerns_notifications(stored.view);
    watch.observe(stored.view, look ? stored.payload : event::PayloadValue());
  }
  std::vector<event::NewEvent> due(std::chrono::seconds at) {
    return watch.due({kStartUs + at.count() * 1'000'000});
  }
  StallWatch watch{5min};
};

}  // namespace

TEST_CASE("StallWatch: an unanswered prompt is a stall after five silent minutes, once",
          "[notifications]") {
  Watch w;
  w.see(kPrompt, 0s);
  CHECK(w.due(299s).empty());
  const auto stalled = w.due(300s);
  REQUIRE(stalled.size() == 1);
  CHECK(stalled[0].type == "session.stalled");
  CHECK(stalled[0].session == "s");
  const auto parsed = nlohmann::json::parse(stalled[0].payload);
  CHECK(parsed["since"] == format_rfc3339({kStartUs}));
  CHECK(parsed["waiting_for"] == "answer");
  CHECK(event::check(stalled[0].payload)->event_id == stalled[0].event_id);
  w.see(stalled[0].payload.c_str(), 300s);  // its own event is no sign of life
  CHECK(w.due(900s).empty());
  w.see(R"({"type":"claude","session_id":"s","event":{"type":"text_delta","text":"x"}})", 901s);
  CHECK(w.due(1'200s).empty());
  CHECK(w.due(1'201s).size() == 1);
}

TEST_CASE("StallWatch: a running tool stalls, an answered session and one nobody asked do not",
          "[notifications]") {
  Watch w;
  w.see(kToolDone, 0s);
  CHECK(w.due(9'999s).empty());
  w.see(kTool, 10'000s);
  const auto stalled = w.due(10'300s);
  REQUIRE(stalled.size() == 1);
  CHECK(nlohmann::json::parse(stalled[0].payload)["waiting_for"] == "tool");
  w.see(kToolDone, 10'400s);
  CHECK(w.due(20'000s).empty());
  w.see(kPrompt, 20'000s);
  w.see(kTool, 20'001s);
  w.see(kToolDone, 20'002s);
  CHECK(w.due(20'302s).size() == 1);  // the prompt still waits
  w.see(kPrompt, 30'000s);
  w.see(kStop, 30'001s);
  CHECK(w.due(40'000s).empty());
}

TEST_CASE("StallWatch: what an agent says of its tools and turns counts, its texts do not",
          "[notifications]") {
  const auto said = [](const std::string& inner) {
    return R"({"type":"claude","session_id":"s","event":{"type":)" + inner + "}}";
  };
  const std::string begins = said(R"("tool_use_start","id":"t","name":"Bash")");
  Watch w;
  w.see(begins.c_str(), 0s);
  w.see(said(R"("text_delta","text":"turn_complete \"type\"")").c_str(), 1s);
  CHECK(w.due(302s).size() == 1);
  w.see(said(R"("tool_result","id":"t","output":"","is_error":false)").c_str(), 400s);
  CHECK(w.due(900s).empty());
  for (const char* ends :
       {R"("turn_complete","usage":{"input_tokens":1,"output_tokens":1})",
        R"("error","message":"m","recoverable":true)",
        R"("\u0065rror","message":"m","recoverable":true)",
        R"("text_delta","text":"","type":"error","message":"m","recoverable":true)"}) {
    CAPTURE(ends);
    w.see(begins.c_str(), 1'000s);
    w.see(said(ends).c_str(), 1'001s);
    CHECK(w.due(2'000s).empty());
  }
  const auto hook = [](const std::string& inner) {
    return R"({"type":"hook","session_id":"s","event":{"type":)" + inner + "}}";
  };
  for (const char* ends : {R"("stop")", R"("session_end")"}) {
    w.see(hook(R"("user_prompt_submit")").c_str(), 3'000s);
    w.see(hook(ends).c_str(), 3'001s);
    CHECK(w.due(4'000s).empty());
  }
}
