// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>

#include "verify/errc.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

using nlohmann::json;

/// Events of every category in two sessions, and clients that want different ones of them. What is
/// expected is written out by hand: numbers of events, in order.
class Filters {
 public:
  explicit Filters(Stage& stage)
      : stage_(stage),
        recorder_(stage.options().seed),
        a_(stage.tag() + "-a"),
        b_(stage.tag() + "-b") {}

  void play() {
    using client::Deadline;
    stage_.step("events of every category are appended", [&](Deadline d) { return append(d); });
    const auto expect = [&](const std::string& name, const std::string& query, std::string types,
                            std::vector<int> numbers) {
      stage_.claim(name, [&](Deadline d) { return read(query, types, numbers, d); });
    };
    expect("by session", "session=" + a_, "", {0, 1, 2, 3, 4});
    expect("by category", "session=" + a_, "hook", {2});
    expect("by exact type", "session=" + a_, "user_input", {1});
    expect("by several, in any case and with blanks", "session=" + a_, " Claude , SESSION",
           {0, 1, 3});
    expect("the category custom", "session=" + b_, "custom", {6});
    expect("nothing matches", "session=" + b_, "assessment", {});
    stage_.claim("live events are filtered the same way", [&](Deadline d) { return live(d); });
    stage_.claim("silence moves the position", [&](Deadline d) { return silence(d); });
    stage_.claim("a page counts matches, not events", [&](Deadline d) { return page(d); });
    stage_.claim("set_filters answers with matching history",
                 [&](Deadline d) { return set_filters(d); });
    stage_.claim("an unknown parameter value is refused", [&](Deadline d) { return refuse(d); });
  }

 private:
  static json numbered(json event, int n) {
    event["n"] = n;
    return event;
  }

  std::vector<json> events() const {
    const json pre_tool = {
        {"type", "pre_tool_use"}, {"tool_name", "Bash"}, {"tool_input", {{"command", "ls"}}}};
    return {
        numbered({{"type", "claude"},
                  {"session_id", a_},
                  {"event", {{"type", "text_delta"}, {"text", "hi"}}}},
                 0),
        numbered({{"type", "user_input"}, {"session_id", a_}, {"content", "go"}}, 1),
        numbered({{"type", "hook"}, {"session_id", a_}, {"event", pre_tool}}, 2),
        numbered({{"type", "session_state_changed"}, {"session_id", a_}, {"state", "Working"}}, 3),
        numbered({{"type", "my_tool"}, {"session_id", a_}}, 4),
        numbered({{"type", "user_input"}, {"session_id", b_}, {"content", "go"}}, 5),
        numbered({{"type", "my_tool"}, {"session_id", b_}}, 6),
    };
  }

  CheckOutcome append(client::Deadline deadline) {
    VIBES_TRY(stage_.open());
    VIBES_TRY_ASSIGN(
        answer, post_events(stage_.target(), json(events()).dump(), "application/json", deadline));
    return answer.status == 200
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("POST /api/events", "200",
                                        fmt::format("{} {}", answer.status, answer.body));
  }

  static CheckOutcome compare(const std::vector<int>& expected, const std::vector<int>& seen) {
    return expected == seen ? CheckOutcome::passed()
                            : CheckOutcome::mismatch("other events came than match",
                                                     json(expected).dump(), json(seen).dump());
  }

  WatchOptions collecting(const std::string& query, std::vector<int>& into) {
    WatchOptions options{.client = ++clients_,
                         .query = query,
                         .types = {},
                         .session = "",
                         .group = "",
                         .on_event = {}};
    options.on_event = [&into](const client::TailEvent& event) {
      const json parsed = json::parse(event.event, nullptr, false);
      into.push_back(parsed.is_object() ? parsed.value("n", -1) : -2);
    };
    return options;
  }

  static std::string with_types(const std::string& query, const std::string& types) {
    return types.empty() ? query : query + "&types=" + client::percent_encode(types);
  }

  CheckOutcome read(const std::string& query, const std::string& types,
                    const std::vector<int>& expected, client::Deadline deadline) {
    std::vector<int> seen;
    Watcher watcher(stage_.target(), recorder_,
                    collecting(with_types(query, types) + "&until=end", seen));
    VIBES_TRY(watcher.connect("beginning", deadline));
    while (!watcher.ended()) {
      VIBES_TRY(watcher.take(deadline));
    }
    return compare(expected, seen);
  }

  CheckOutcome live(client::Deadline deadline) {
    std::vector<int> seen;
    Watcher watcher(stage_.target(), recorder_,
                    collecting(with_types("heartbeat=1&session=" + a_, "hook,my_tool"), seen));
    VIBES_TRY(watcher.connect("end", deadline));
    VIBES_TRY_ASSIGN(
        answer, post_events(stage_.target(), json(events()).dump(), "application/json", deadline));
    const json receipt = json::parse(answer.body, nullptr, false);
    if (!receipt.contains("last_offset")) {
      return CheckOutcome::mismatch("POST /api/events", "offsets", answer.body);
    }
    const Offset end(receipt.value("last_offset", std::uint64_t{0}) + 1);
    // The last event does not match: the position past it says that nothing more will come.
    VIBES_TRY(watcher.take_to(end, deadline));
    return compare({2, 4}, seen);
  }

  CheckOutcome silence(client::Deadline deadline) {
    std::vector<int> seen;
    Watcher watcher(stage_.target(), recorder_,
                    collecting("heartbeat=1&session=" + stage_.tag() + "-nobody", seen));
    VIBES_TRY(watcher.connect("end", deadline));
    VIBES_TRY_ASSIGN(
        answer, post_events(stage_.target(), json(events()).dump(), "application/json", deadline));
    (void)answer;
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline));
    if (auto moved = watcher.take_to(end, deadline); !moved) {
      return CheckOutcome::mismatch(moved.error().message(),
                                    fmt::format("a position of {}", end.value()),
                                    fmt::format("{}", watcher.next().value()));
    }
    return compare({}, seen);
  }

  CheckOutcome page(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(first, get_json(stage_.target(),
                                     "/api/events?from=beginning&limit=2&session=" + b_, deadline));
    std::vector<int> seen;
    for (const json& entry : first.value("events", json::array())) {
      seen.push_back(entry.value("/event/n"_json_pointer, -1));
    }
    return compare({5, 6}, seen);
  }

  CheckOutcome set_filters(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(stage_.target(), "/ws/firehose", deadline));
    const json request = {{"type", "set_filters"}, {"types", {"hook"}}, {"session", a_}};
    VIBES_TRY(socket.send(request.dump(), deadline));
    while (true) {
      VIBES_TRY_ASSIGN(text, socket.receive(deadline));
      const json message = json::parse(text, nullptr, false);
      if (!message.is_object() || message.value("type", "") != "events_batch") {
        continue;
      }
      std::vector<int> seen;
      for (const json& entry : message.value("events", json::array())) {
        seen.push_back(entry.value("/event/n"_json_pointer, -1));
      }
      return compare(std::vector<int>(seen.size(), 2), seen).failure() || seen.empty()
                 ? CheckOutcome::mismatch("the page holds other events",
                                          "only hooks of the session", message.dump())
                 : CheckOutcome::passed();
    }
  }

  CheckOutcome refuse(client::Deadline deadline) {
    client::HttpClient http(stage_.target());
    VIBES_TRY_ASSIGN(
        answer,
        http.send(
            {.method = "GET", .path = "/api/events?from=yesterdayish", .headers = {}, .body = ""},
            deadline));
    return answer.status == 400 && client::http_error_code(answer) == "bad_query"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("from=yesterdayish", "400 bad_query",
                                        fmt::format("{} {}", answer.status, answer.body));
  }

  Stage& stage_;
  Recorder recorder_;
  std::string a_;
  std::string b_;
  std::uint32_t clients_ = 0;
};

}  // namespace

Scenario filters_scenario() {
  return {
      .name = "filters",
      .summary = "a client gets what it asked for, all of it and nothing else",
      .needs = Needs::any_server,
      .checks = {"events of every category are appended", "by session", "by category",
                 "by exact type", "by several, in any case and with blanks", "the category custom",
                 "nothing matches", "live events are filtered the same way",
                 "silence moves the position", "a page counts matches, not events",
                 "set_filters answers with matching history",
                 "an unknown parameter value is refused"},
      .play = [](Stage& stage) { Filters(stage).play(); }};
}

}  // namespace vibes::verify
