// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "base/limits.hpp"
#include "client/web_socket.hpp"
#include "verify/errc.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"

namespace vibes::verify {
namespace {

using nlohmann::json;

/// One thing nobody should send, and what must be said about it.
struct BadEvent {
  std::string name;
  std::string body;
  int status = 400;
  std::string says;  // somewhere in the answer; may be empty
  std::string content_type = "application/json";
};

std::string nested(std::size_t depth) {
  return R"({"type":"x","a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

std::vector<BadEvent> bad_events() {
  return {
      {"what is no JSON", "{\"type\":\"x\"", 400, ""},
      {"a JSON number", "42", 400, ""},
      {"an event without type", R"({"session_id":"s"})", 400, "type"},
      {"a type that is no string", R"({"type":7})", 400, "type"},
      {"a known type without its fields", R"({"type":"user_input"})", 400, "session_id"},
      {"a duplicate key", R"({"type":"x","type":"y"})", 400, "duplicate"},
      {"65 levels of depth", nested(65), 400, "deep"},
      {"100,000 levels of depth", nested(100'000), 400, "deep"},
      {"invalid UTF-8", "{\"type\":\"x\",\"a\":\"\xff\xfe\"}", 400, "UTF-8"},
      {"a lone surrogate escape cut short", R"({"type":"x","a":"\ud8"})", 400, ""},
      {"trailing garbage", R"({"type":"x"} y)", 400, ""},
      {"an event_id that is none", R"({"type":"x","event_id":"nope"})", 400, "event_id"},
      {"a bad third line of a batch", "{\"type\":\"x\"}\n{\"type\":\"x\"}\n{\"type\":}\n", 400,
       "\"line\":3", "application/x-ndjson"},
      {"a content type nobody reads", R"({"type":"x"})", 415, "", "text/plain"},
      {"an event over 1 MiB",
       R"({"type":"x","a":")" + std::string(limits::kEventBytesMax, 'a') + "\"}", 413, ""},
  };
}

class BadInput {
 public:
  explicit BadInput(Stage& stage) : stage_(stage) {}

  void play() {
    using client::Deadline;
    stage_.step("a good event is appended", [&](Deadline d) { return start(d); });
    for (const BadEvent& bad : bad_events()) {
      stage_.claim("refused: " + bad.name, [&](Deadline d) { return refuse(bad, d); });
    }
    stage_.claim("refused: the same event_id with another payload",
                 [&](Deadline d) { return conflict(d); });
    stage_.claim("the same event_id and payload is a duplicate, not an error",
                 [&](Deadline d) { return repeat(d); });
    stage_.claim("refused on /ws/append, and the connection goes on",
                 [&](Deadline d) { return nack(d); });
    stage_.claim("refused on /ws/firehose, with a code", [&](Deadline d) { return bad_frame(d); });
    stage_.claim("an unknown route is 404",
                 [&](Deadline d) { return expect("GET", "/api/nonsense", 404, {}, d); });
    stage_.claim("a wrong method is 405",
                 [&](Deadline d) { return expect("DELETE", "/api/events", 405, {}, d); });
    stage_.claim("a web page of another origin is kept out", [&](Deadline d) {
      return expect("GET", "/api/events", 403, {{"Origin", "https://evil.example"}}, d);
    });
    stage_.claim("a wrong token is kept out", [&](Deadline d) { return wrong_token(d); });
    stage_.claim("nothing bad is in the log, nothing good is missing",
                 [&](Deadline d) { return look(d); });
    stage_.claim("the server is well", [&](Deadline d) { return is_well(d); });
  }

 private:
  std::string good(int n) const {
    return json{{"type", "good"}, {"session_id", stage_.tag()}, {"n", n}}.dump();
  }
  std::string keyed(const std::string& data) const {
    return json{{"type", "good"},
                {"session_id", stage_.tag()},
                {"event_id", to_string(key_)},
                {"data", data}}
        .dump();
  }

  CheckOutcome append_good(const std::string& event, client::Deadline deadline) {
    VIBES_TRY_ASSIGN(answer, post_events(stage_.target(), event, "application/json", deadline));
    if (!answer.is_success()) {
      return CheckOutcome::mismatch("a good event was refused", "200",
                                    fmt::format("{} {}", answer.status, excerpt(answer.body)));
    }
    ++good_;
    return CheckOutcome::passed();
  }

  CheckOutcome start(client::Deadline deadline) {
    VIBES_TRY(stage_.open());
    return append_good(good(0), deadline);
  }

  CheckOutcome refuse(const BadEvent& bad, client::Deadline deadline) {
    VIBES_TRY_ASSIGN(answer, post_events(stage_.target(), bad.body, bad.content_type, deadline));
    const json body = json::parse(answer.body, nullptr, false);
    const bool has_code = body.is_object() && !body.value("/error/code"_json_pointer, "").empty() &&
                          !body.value("/error/message"_json_pointer, "").empty();
    const bool says = answer.body.find(bad.says) != std::string::npos;
    if (answer.status != bad.status || !has_code || !says) {
      return CheckOutcome::mismatch("the answer is not clear",
                                    fmt::format("{} with a code and a message{}", bad.status,
                                                bad.says.empty() ? "" : " that names " + bad.says),
                                    fmt::format("{} {}", answer.status, excerpt(answer.body)));
    }
    return append_good(good(1), deadline);  // and it goes on as if nothing had been
  }

  CheckOutcome conflict(client::Deadline deadline) {
    const CheckOutcome first = append_good(keyed("one"), deadline);
    if (first.failure()) {
      return first;
    }
    VIBES_TRY_ASSIGN(answer,
                     post_events(stage_.target(), keyed("two"), "application/json", deadline));
    return answer.status == 409 && client::http_error_code(answer) == "event_id_conflict"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("another payload under a taken id", "409 event_id_conflict",
                                        fmt::format("{} {}", answer.status, answer.body));
  }

  CheckOutcome repeat(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(answer,
                     post_events(stage_.target(), keyed("one"), "application/json", deadline));
    const json body = json::parse(answer.body, nullptr, false);
    return answer.is_success() && body.value("duplicates", 0) == 1
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("the same event again", "200 with duplicates 1",
                                        fmt::format("{} {}", answer.status, answer.body));
  }

  Result<json> ask(client::WebSocket& socket, const std::string& message,
                   client::Deadline deadline) {
    VIBES_TRY(socket.send(message, deadline));
    VIBES_TRY_ASSIGN(text, socket.receive(deadline));
    return json::parse(text, nullptr, false);
  }

  CheckOutcome nack(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(stage_.target(), "/ws/append", deadline));
    VIBES_TRY_ASSIGN(refused, ask(socket, good(2) + "\n{\"type\":}", deadline));
    const bool is_clear = refused.is_object() && refused.value("type", "") == "nack" &&
                          refused.value("code", "") == "invalid_event" &&
                          refused.value("line", 0) == 2 && !refused.value("message", "").empty();
    VIBES_TRY_ASSIGN(taken, ask(socket, good(3), deadline));
    const bool goes_on = taken.is_object() && taken.value("type", "") == "ack";
    good_ += goes_on ? 1U : 0U;
    return is_clear && goes_on ? CheckOutcome::passed()
                               : CheckOutcome::mismatch("a bad second line",
                                                        "nack invalid_event line 2, then an ack",
                                                        refused.dump() + " then " + taken.dump());
  }

  CheckOutcome bad_frame(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(
        socket, client::WebSocket::connect(stage_.target(), "/ws/firehose?session=" + stage_.tag(),
                                           deadline));
    VIBES_TRY_ASSIGN(answer, ask(socket, "this is no message", deadline));
    return answer.is_object() && answer.value("type", "") == "error" &&
                   !answer.value("code", "").empty()
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("nonsense on the firehose", "an error with a code",
                                        answer.dump());
  }

  CheckOutcome expect(const std::string& method, const std::string& path, int status,
                      std::vector<std::pair<std::string, std::string>> headers,
                      client::Deadline deadline) {
    client::HttpClient http(stage_.target());
    VIBES_TRY_ASSIGN(
        answer,
        http.send({.method = method, .path = path, .headers = std::move(headers), .body = ""},
                  deadline));
    return answer.status == status && !client::http_error_code(answer).empty()
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch(method + " " + path, fmt::format("{} with a code", status),
                                        fmt::format("{} {}", answer.status, excerpt(answer.body)));
  }

  CheckOutcome wrong_token(client::Deadline deadline) {
    if (stage_.target().token.empty()) {
      return CheckOutcome::skipped("the server asks for no token here");
    }
    client::Target stranger = stage_.target();
    stranger.token = std::string(stranger.token.size(), 'x');
    client::HttpClient http(stranger);
    VIBES_TRY_ASSIGN(
        answer,
        http.send({.method = "GET", .path = "/api/events", .headers = {}, .body = ""}, deadline));
    return answer.status == 401
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("a wrong token", "401",
                                        fmt::format("{} {}", answer.status, excerpt(answer.body)));
  }

  CheckOutcome look(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(
        page, get_json(stage_.target(),
                       "/api/events?from=beginning&limit=1000&session=" + stage_.tag(), deadline));
    std::uint64_t good_ones = 0;
    std::uint64_t others = 0;
    for (const json& entry : page.value("events", json::array())) {
      (entry.value("/event/type"_json_pointer, "") == "good" ? good_ones : others) += 1;
    }
    return good_ones == good_ && others == 0
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("the log holds something else",
                                        fmt::format("{} good events, no other", good_),
                                        fmt::format("{} and {}", good_ones, others));
  }

  CheckOutcome is_well(client::Deadline deadline) {
    if (stage_.server() != nullptr && !stage_.server()->is_running()) {
      return CheckOutcome::mismatch("the server has ended", "running", "ended");
    }
    VIBES_TRY_ASSIGN(health, get_json(stage_.target(), "/api/health", deadline));
    return health.value("status", "") == "ok"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("the server is not well", "status ok", health.dump());
  }

  Stage& stage_;
  Uuid key_ = random_uuid();
  std::uint64_t good_ = 0;
};

}  // namespace

Scenario bad_input_scenario() {
  std::vector<std::string> checks = {"a good event is appended"};
  for (const BadEvent& bad : bad_events()) {
    checks.push_back("refused: " + bad.name);
  }
  for (const char* name :
       {"refused: the same event_id with another payload",
        "the same event_id and payload is a duplicate, not an error",
        "refused on /ws/append, and the connection goes on", "refused on /ws/firehose, with a code",
        "an unknown route is 404", "a wrong method is 405",
        "a web page of another origin is kept out", "a wrong token is kept out",
        "nothing bad is in the log, nothing good is missing", "the server is well"}) {
    checks.emplace_back(name);
  }
  return {.name = "bad-input",
          .summary = "what is wrong gets a clear error, and nothing else is disturbed",
          .needs = Needs::any_server,
          .checks = std::move(checks),
          .play = [](Stage& stage) { BadInput(stage).play(); }};
}

}  // namespace vibes::verify
